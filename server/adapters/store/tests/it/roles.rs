//! The panel works as a role that can add to the audit trail and not change it.

use adapter_store::{DatabaseConfig, Store};
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::person::{Actor, Role};
use domain::ports::{AuditTrail as _, Journal as _, People as _};
use secrecy::SecretString;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use uuid::Uuid;

use crate::support::{Database, anna, may_manage_people, person, restart};

/// A role of the server that owns nothing, and the URL by which it enters the database.
async fn worker(database: &Database) -> String {
    let name = database.url.rsplit('/').next().unwrap();
    let role = format!("{name}_worker");
    database
        .sql(&format!(
            "DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        ))
        .await
        .unwrap();
    database.url.replace("postgres@", &format!("{role}@"))
}

async fn two_roles(database: &Database) -> (Store, String) {
    let worker = worker(database).await;
    let config = DatabaseConfig::from_url(&SecretString::from(worker.clone())).unwrap();
    let owner = SecretString::from(database.url.clone());
    let store = database.store_with(config.owned_by(&owner).unwrap()).await;
    (store, worker)
}

async fn refused(worker: &str, statement: &str) -> String {
    let mut connection = PgConnection::connect(worker).await.unwrap();
    let done = connection.execute(statement).await;
    done.err()
        .map_or_else(String::new, |error| error.to_string())
}

#[tokio::test]
async fn the_panels_role_adds_to_the_trail_and_cannot_change_it() {
    let database = Database::fresh().await;
    let (store, worker) = two_roles(&database).await;
    let event = NewAuditEvent::new(Actor::Panel, act::DOWNLOAD_LOGS, AuditOutcome::Succeeded);
    store.record(event).await.unwrap();
    assert!(!store.may_change_the_trail().await.unwrap());
    for statement in [
        "UPDATE audit_events SET note = 'x'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "UPDATE audit_head SET sequence = 0",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head (there_is_one, sequence, hash) VALUES (true, 0, '')",
        "UPDATE audit_checkpoints SET sequence = 0",
        "DELETE FROM audit_checkpoints",
        "TRUNCATE audit_checkpoints",
        "INSERT INTO audit_archives (first, sequence, hash, events, before, file, at, key, signature)
         SELECT 1, sequence, hash, 1, now(), 'x', now(), hash, hash || hash FROM audit_events",
        "DELETE FROM audit_archives",
        "UPDATE audit_checks SET at = now()",
        "DELETE FROM audit_checks",
        "DELETE FROM audit_kinds",
        "UPDATE reviews SET verdict = 'seen'",
        "DELETE FROM review_stretches",
        "UPDATE review_answers SET answer = 'x'",
        "DELETE FROM _sqlx_migrations",
        "CREATE TABLE audit_more (id bigint)",
    ] {
        let said = refused(&worker, statement).await;
        assert!(said.contains("permission denied"), "{statement}: {said:?}");
    }
    for statement in [
        "ALTER TABLE audit_events DISABLE TRIGGER ALL",
        "DROP TABLE audit_events",
        "DROP TRIGGER audit_events_are_append_only ON audit_events",
        "CREATE OR REPLACE FUNCTION public.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "SET session_replication_role = replica",
    ] {
        let said = refused(&worker, statement).await;
        let owned = said.contains("must be owner") || said.contains("permission denied");
        assert!(owned, "{statement}: {said:?}");
    }
    // Nor does the head follow a table of one's own.
    let own = "CREATE TEMP TABLE own (sequence bigint, hash bytea, previous bytea);
               CREATE TRIGGER moves AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION move_audit_head()";
    assert!(refused(&worker, own).await.contains("permission denied"));
    // What the head is, is not for a table of one's own to say.
    let shadow = "CREATE TEMP TABLE audit_head (there_is_one boolean, sequence bigint, hash bytea);
                  INSERT INTO audit_head VALUES (true, 41, decode(repeat('00', 32), 'hex'));
                  SELECT 1 / (sequence - 1) FROM lock_audit_head()";
    assert!(refused(&worker, shadow).await.contains("division by zero"));
}

#[tokio::test]
async fn the_panels_role_can_do_all_else() {
    let database = Database::fresh().await;
    let (store, _) = two_roles(&database).await;
    let (_, password) = person(&store, "ben", Role::Viewer).await;
    store.sign_in("ben", password, None, None).await.unwrap();
    store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap();
    store.ping().await.unwrap();
    assert_eq!(domain::ports::People::list(&store).await.unwrap().len(), 1);
    assert!(
        store
            .add(may_manage_people(), "otto", Role::Admin.into())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn tables_of_later_migrations_are_given_by_themselves() {
    let database = Database::fresh().await;
    let (_, worker) = two_roles(&database).await;
    database
        .sql("CREATE TABLE later (id bigint GENERATED ALWAYS AS IDENTITY, name text)")
        .await
        .unwrap();
    for statement in [
        "INSERT INTO later (name) VALUES ('x')",
        "UPDATE later SET name = 'y'",
        "DELETE FROM later",
    ] {
        assert_eq!(refused(&worker, statement).await, "", "{statement}");
    }
}

#[tokio::test]
async fn what_somebody_gave_is_taken_back_at_the_next_start() {
    let database = Database::fresh().await;
    let (store, worker) = two_roles(&database).await;
    let role = worker
        .rsplit_once('@')
        .unwrap()
        .0
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    for table in [
        "audit_events",
        "audit_head",
        "audit_checkpoints",
        "audit_checks",
        "audit_archives",
        "audit_kinds",
        "reviews",
        "review_stretches",
        "review_answers",
    ] {
        database
            .sql(&format!("GRANT UPDATE ON {table} TO {role}"))
            .await
            .unwrap();
        assert!(store.may_change_the_trail().await.unwrap(), "{table}");
        let (store, _) = two_roles(&database).await;
        assert!(!store.may_change_the_trail().await.unwrap(), "{table}");
    }
}

#[tokio::test]
async fn one_role_for_both_is_known_as_such() {
    let database = Database::fresh().await;
    let store = database.store().await;
    assert!(store.may_change_the_trail().await.unwrap());
}
