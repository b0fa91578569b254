/** Kills the panel at chosen entries of an operation's journal: the database holds the entry back until the panel is gone. */
import { killPanel, sql, until } from "./stack.ts";

const HELD = "wait_event = 'PgSleep' AND datname = current_database()";
const held = () => sql(`SELECT count(*) FROM pg_stat_activity WHERE ${HELD}`) === "1";
const drop = () => sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${HELD}`);

/** Holds one entry from before it is written. */
export function holdAt(event: string, step: string): void {
  sql(`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NEW; END'`);
  sql(`CREATE TRIGGER hold BEFORE INSERT ON operation_events FOR EACH ROW
       WHEN (NEW.event->>'event' = '${event}' AND NEW.event->>'step' = '${step}') EXECUTE FUNCTION hold()`);
}

/** Holds every entry once, whatever it is. What a step says of itself is none, and neither is that somebody took over. */
export function holdEach(): void {
  sql(`CREATE TABLE held (mark text PRIMARY KEY)`);
  // The name that the connection then bears tells which entry it is: the entry itself is not written yet.
  sql(`CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
       DECLARE this text := concat_ws(' ', NEW.event->>'event', NEW.event->>'step');
       BEGIN
         IF NOT EXISTS (SELECT FROM held WHERE mark = this) THEN
           PERFORM set_config('application_name', this, false);
           PERFORM pg_sleep(600);
         END IF;
         RETURN NEW;
       END $$`);
  sql(`CREATE TRIGGER hold BEFORE INSERT ON operation_events FOR EACH ROW
       WHEN (NEW.event->>'event' NOT IN ('progressed', 'adopted')) EXECUTE FUNCTION hold()`);
}

/** The entry that is held now. */
const which = () => sql(`SELECT application_name FROM pg_stat_activity WHERE ${HELD}`);

/** Kills the panel once it is about to write the entry of `holdAt`. */
export async function killAt(event: string, step: string): Promise<void> {
  await until(`the panel is about to write that ${step} has ${event}`, () => (held() ? true : undefined));
  await killPanel();
  drop();
}

/** Kills the panel at the next entry of `holdEach`, which from then on is let through; the entry. `null` once `over`. */
export async function killAtNext(over: () => boolean): Promise<string | null> {
  const mark = await until("the panel is about to write its next entry, or the operation is over", () => which() || (over() ? null : undefined), 120_000);
  if (mark === null) return null;
  await killPanel();
  drop();
  sql(`INSERT INTO held VALUES ('${mark}')`);
  return mark;
}

/** Nothing is held any more. */
export function letGo(): void {
  sql("DROP TRIGGER hold ON operation_events");
  sql("DROP FUNCTION hold");
  sql("DROP TABLE IF EXISTS held");
}
