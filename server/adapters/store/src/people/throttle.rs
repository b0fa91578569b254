//! Sign-ins are slowed down per name and per address, by delays that rise. Kept in the database: a
//! restart forgives nothing, and several panels count together. A try is counted before the password
//! is looked at, so that a thousand tries at once are still a thousand tries.

use std::net::IpAddr;
use std::time::Duration;

use domain::time::Timestamp;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{column, moment};
use crate::store::Store;

/// The first delay; it doubles with every further failure.
const FIRST_DELAY: Duration = Duration::from_secs(5);
/// Failures are forgotten after a day without a try.
const MEMORY: Duration = Duration::from_secs(24 * 3600);
/// An address is forgiven one failure in this time: an office whose people mistype now and then is not shut out for it.
const FADES: Duration = Duration::from_secs(300);
/// No flood of names or addresses makes the table larger for long.
const MOST_ROWS: i64 = 50_000;

/// What is counted: a name or an address, hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Subject {
    kind: &'static str,
    digest: Vec<u8>,
}

/// Whose tries are counted, besides those of an address. What somebody types as a name is in small letters, so that no
/// name is one of the others.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose<'a> {
    /// The name that was typed at the door.
    Name(&'a str),
    /// The password of somebody who is signed in: apart from the door, where strangers try their name, too.
    Password(Uuid),
    /// Somebody's second factor, at the door and behind it: apart from passwords, since whoever knows one must not guess
    /// on because the other is forgiven.
    Factor(Uuid),
}

impl Whose<'_> {
    fn subject(self) -> Subject {
        match self {
            Self::Name(name) => Subject::of("name", name),
            Self::Password(id) => Subject::of("name", &format!("PASSWORD OF {id}")),
            Self::Factor(id) => Subject::of("name", &format!("SECOND FACTOR OF {id}")),
        }
    }
}

impl Subject {
    fn of(kind: &'static str, text: &str) -> Self {
        let digest = Sha256::digest(text).to_vec();
        Self { kind, digest }
    }
}

/// How many failures are free, and how long the delay gets.
struct Policy {
    free: i32,
    longest: Duration,
}

/// People mistype: four failures are free. Five minutes at most: who knows a name must not keep its
/// owner out for long.
const NAME: Policy = Policy {
    free: 4,
    longest: Duration::from_secs(300),
};
/// Many people may share an address.
const ADDRESS: Policy = Policy {
    free: 20,
    longest: Duration::from_secs(900),
};

impl Policy {
    fn of(kind: &str) -> &'static Self {
        if kind == "address" { &ADDRESS } else { &NAME }
    }

    fn delay(&self, failures: i32) -> Duration {
        match u32::try_from(failures - self.free) {
            Ok(over @ 1..) => FIRST_DELAY
                .saturating_mul(2_u32.saturating_pow(over - 1))
                .min(self.longest),
            _ => Duration::ZERO,
        }
    }
}

/// A counter as it stands.
#[derive(Clone, Debug)]
struct Counter {
    kind: String,
    subject: Vec<u8>,
    failures: i32,
    turned_away: i32,
    last_tried_at: OffsetDateTime,
    blocked_until: Option<OffsetDateTime>,
}

impl Counter {
    /// Until when this one blocks, if it does.
    fn blocks(&self, now: Timestamp) -> Option<Timestamp> {
        self.blocked_until.map(moment).filter(|until| *until > now)
    }

    /// After one more failure.
    fn counted(&self, now: Timestamp) -> Counted {
        let last = moment(self.last_tried_at);
        let since = now.since(last);
        let mut counted = Counted {
            failures: 1,
            blocked_until: None,
            last_tried_at: now,
        };
        if since <= MEMORY {
            let faded = match self.kind.as_str() {
                "address" => u32::try_from(since.as_secs() / FADES.as_secs()).unwrap_or(u32::MAX),
                _ => 0,
            };
            let left = self.failures.saturating_sub_unsigned(faded).max(0);
            counted.failures = left.saturating_add(1);
            if self.kind == "address" && left > 0 {
                // What has not faded whole goes on fading.
                counted.last_tried_at = last.plus(FADES.saturating_mul(faded));
            }
        }
        let delay = Policy::of(&self.kind).delay(counted.failures);
        counted.blocked_until = (!delay.is_zero()).then(|| now.plus(delay));
        counted
    }
}

/// A counter after one more failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    failures: i32,
    blocked_until: Option<Timestamp>,
    /// Of an address, since when it fades: at most [`FADES`] before the try.
    last_tried_at: Timestamp,
}

/// A counted try.
pub(super) struct Tried {
    subjects: Vec<Subject>,
    /// Tries that were turned away before this one.
    pub(super) turned_away: i32,
}

/// Counts a try as failed in advance, or says until when to wait. Of nobody where nobody's is tried: else one flood of
/// strangers would keep everybody out.
pub(super) async fn count(
    connection: &mut PgConnection,
    now: Timestamp,
    whose: &[Whose<'_>],
    address: Option<&str>,
) -> sqlx::Result<Result<Tried, Timestamp>> {
    let subjects = subjects(whose, address);
    let counters = locked(connection, &subjects, now).await?;
    let blocked = counters
        .iter()
        .filter_map(|counter| counter.blocks(now).map(|until| (counter, until)))
        .max_by_key(|(_, until)| *until);
    if let Some((counter, until)) = blocked {
        sqlx::query!(
            "UPDATE sign_in_throttles SET turned_away = turned_away + 1
             WHERE kind = $1 AND subject = $2",
            counter.kind,
            counter.subject,
        )
        .execute(connection)
        .await?;
        return Ok(Err(until));
    }
    for counter in &counters {
        let counted = counter.counted(now);
        sqlx::query!(
            "UPDATE sign_in_throttles
             SET failures = $3, turned_away = 0, last_tried_at = $4, blocked_until = $5
             WHERE kind = $1 AND subject = $2",
            counter.kind,
            counter.subject,
            counted.failures,
            column(counted.last_tried_at),
            counted.blocked_until.map(column),
        )
        .execute(&mut *connection)
        .await?;
    }
    let turned_away = counters.iter().map(|counter| counter.turned_away).sum();
    Ok(Ok(Tried {
        subjects,
        turned_away,
    }))
}

/// Takes a counted try back after it succeeded. The name is forgiven; of the address only this one
/// try, or else a known password would clear the way for guessing others.
pub(super) async fn forgive(connection: &mut PgConnection, tried: &Tried) -> sqlx::Result<()> {
    for subject in &tried.subjects {
        sqlx::query!(
            "UPDATE sign_in_throttles
             SET failures = CASE kind WHEN 'name' THEN 0 ELSE greatest(failures - 1, 0) END,
                 blocked_until = NULL
             WHERE kind = $1 AND subject = $2",
            subject.kind,
            subject.digest,
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// The same by the address alone, for a try that was counted earlier.
pub(super) async fn take_back(
    connection: &mut PgConnection,
    address: Option<&str>,
) -> sqlx::Result<()> {
    let tried = Tried {
        subjects: subjects(&[], address),
        turned_away: 0,
    };
    forgive(connection, &tried).await
}

impl Store {
    /// Forgets what cooled down, and the oldest beyond the most.
    pub(crate) async fn bound_throttles(&self, now: Timestamp) -> sqlx::Result<()> {
        sqlx::query!(
            "DELETE FROM sign_in_throttles
             WHERE last_tried_at < $1
                OR last_tried_at < (
                    SELECT last_tried_at FROM sign_in_throttles
                    ORDER BY last_tried_at DESC
                    OFFSET $2 LIMIT 1
                )",
            column(now.minus(MEMORY)),
            MOST_ROWS,
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }
}

/// The counters, made where missing, locked in one order for all.
async fn locked(
    connection: &mut PgConnection,
    subjects: &[Subject],
    now: Timestamp,
) -> sqlx::Result<Vec<Counter>> {
    let mut counters = Vec::with_capacity(subjects.len());
    for subject in subjects {
        // Taking the row's lock whether it is new or not.
        let counter = sqlx::query_as!(
            Counter,
            "INSERT INTO sign_in_throttles AS known (kind, subject, failures, last_tried_at)
             VALUES ($1, $2, 0, $3)
             ON CONFLICT (kind, subject) DO UPDATE SET failures = known.failures
             RETURNING kind, subject, failures, turned_away, last_tried_at, blocked_until",
            subject.kind,
            subject.digest,
            column(now),
        )
        .fetch_one(&mut *connection)
        .await?;
        counters.push(counter);
    }
    Ok(counters)
}

/// The address first, always: two tries then never wait for each other in a circle.
fn subjects(whose: &[Whose<'_>], address: Option<&str>) -> Vec<Subject> {
    let address = address.map(|address| Subject::of("address", &network(address)));
    let whose = whose.iter().map(|whose| whose.subject());
    address.into_iter().chain(whose).collect()
}

/// One customer of an IPv6 provider has a /64 of addresses: it counts as one.
fn network(address: &str) -> String {
    match address
        .parse::<IpAddr>()
        .map(|address| address.to_canonical())
    {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_rise_to_a_limit() {
        let seconds: Vec<u64> = (1..=13).map(|n| NAME.delay(n).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 5, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert_eq!(ADDRESS.delay(20), Duration::ZERO);
        assert_eq!(ADDRESS.delay(i32::MAX), ADDRESS.longest);
    }

    #[test]
    fn a_networks_addresses_count_as_one_and_names_and_addresses_apart() {
        assert_eq!(network("2001:db8:1:2::5"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::5"), network("2001:db8:1:3::5"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        let both = subjects(&[Whose::Name("192.0.2.1")], Some("192.0.2.1"));
        assert_eq!(both[0].kind, "address");
        assert_ne!(both[0], both[1]);
    }

    #[test]
    fn a_day_without_a_try_forgets() {
        let counter = Counter {
            kind: "name".to_owned(),
            subject: Vec::new(),
            failures: 9,
            turned_away: 0,
            last_tried_at: column(Timestamp::from_millis(0)),
            blocked_until: None,
        };
        let soon = Timestamp::from_millis(1000);
        assert_eq!(counter.counted(soon).failures, 10);
        let later = counter.counted(soon.plus(MEMORY));
        assert_eq!((later.failures, later.blocked_until), (1, None));
    }

    #[test]
    fn an_address_that_fails_now_and_then_never_has_to_wait() {
        let mut counter = Counter {
            kind: "address".to_owned(),
            subject: Vec::new(),
            failures: 0,
            turned_away: 0,
            last_tried_at: column(Timestamp::from_millis(0)),
            blocked_until: None,
        };
        let mut now = Timestamp::from_millis(0);
        // A burst of one less than is free, and then one in four minutes and one in seven by turns.
        let burst = std::iter::repeat_n(Duration::ZERO, 19);
        let on = [240, 420].map(Duration::from_secs).into_iter().cycle();
        for pause in burst.chain(on.take(500)) {
            now = now.plus(pause);
            let counted = counter.counted(now);
            assert_eq!(counted.blocked_until, None, "{now}: {counted:?}");
            counter.failures = counted.failures;
            counter.last_tried_at = column(counted.last_tried_at);
        }
        for _ in 0..20 {
            let counted = counter.counted(now);
            counter.failures = counted.failures;
            counter.last_tried_at = column(counted.last_tried_at);
        }
        assert!(counter.counted(now).blocked_until.is_some());
    }
}
