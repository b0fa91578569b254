use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::fact::State;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const DAY: Duration = Duration::from_secs(86_400);

fn days(count: u32) -> Duration {
    DAY * count
}

pub(super) fn credential() -> Credential {
    Credential {
        id: Uuid::from_u128(7),
        kind: Kind::GatewayKey,
        gateway: "openclaw".parse().ok(),
        title: "OpenClaw API key".to_owned(),
        place: "the gateway's .env".to_owned(),
        owner: String::new(),
        interval_days: Some(180),
        procedure: String::new(),
        added_at: NOW,
        last: None,
        snoozed: None,
    }
}

fn rotated(before: Duration) -> Credential {
    Credential {
        last: Some(Rotation {
            id: Uuid::from_u128(8),
            at: NOW.minus(before),
            by: Actor::Panel,
            cause: Cause::Scheduled,
            operation: None,
            fingerprint: None,
            note: None,
            log: None,
        }),
        ..credential()
    }
}

fn snooze(until: Timestamp) -> Snooze {
    Snooze {
        until,
        why: "the person is away".to_owned(),
        by: Actor::Panel,
    }
}

fn due(credential: &Credential) -> Due {
    credential.due(Seen::default(), NOW)
}

fn said(credential: &Credential) -> String {
    due(credential).words(NOW)
}

#[test]
fn it_is_said_in_words_when_a_credential_is_due() {
    let hour = Duration::from_secs(3_600);
    for (before, words, state) in [
        (days(0), "due in 180 days", State::Ok),
        (hour, "due in 180 days", State::Ok),
        (days(149), "due in 31 days", State::Ok),
        (days(150), "due in 30 days", State::Warn),
        (days(168), "due in 12 days", State::Warn),
        (days(179), "due in 1 day", State::Warn),
        (days(179) + hour, "due in 23 hours", State::Warn),
        (days(179) + hour * 47 / 2, "due in 30 minutes", State::Warn),
        (days(180), "overdue by 1 minute", State::Down),
        (days(181) + hour, "overdue by 1 day", State::Down),
        (days(183), "overdue by 3 days", State::Down),
    ] {
        let credential = rotated(before);
        assert_eq!(said(&credential), words);
        assert_eq!(due(&credential).state(), Some(state), "{words}");
    }
}

#[test]
fn each_reminder_has_its_days() {
    for (left, stage) in [
        (31, None),
        (30, Some(Stage::Month)),
        (15, Some(Stage::Month)),
        (14, Some(Stage::Fortnight)),
        (7, Some(Stage::Week)),
        (2, Some(Stage::Week)),
        (1, Some(Stage::Day)),
        (0, Some(Stage::Overdue)),
    ] {
        let credential = rotated(days(180 - left));
        assert_eq!(due(&credential).stage(), stage, "{left} days before");
    }
    for stage in Stage::ALL {
        assert_eq!(Stage::parse(stage.as_str()), Some(stage));
    }
}

#[test]
fn what_is_changed_every_week_is_not_due_all_the_time() {
    let weekly = Credential {
        interval_days: Some(7),
        ..rotated(days(0))
    };
    assert_eq!(
        due(&weekly),
        Due::Fine {
            at: NOW.plus(days(7))
        }
    );
    let weekly = Credential {
        interval_days: Some(7),
        ..rotated(days(6))
    };
    assert_eq!(due(&weekly).stage(), Some(Stage::Day));
}

#[test]
fn an_age_that_nobody_knows_is_not_called_fine() {
    let unknown = credential();
    assert_eq!(due(&unknown).state(), Some(State::Unknown));
    assert_eq!(
        said(&unknown),
        "age not known, due in 180 days at the latest"
    );
    let listed_long = Credential {
        added_at: NOW.minus(days(200)),
        ..credential()
    };
    assert_eq!(said(&listed_long), "overdue by 20 days");
}

#[test]
fn without_an_interval_no_date_says_when() {
    let on_event = Credential {
        kind: Kind::WhatsappSession,
        interval_days: None,
        ..credential()
    };
    assert_eq!(due(&on_event), Due::Never);
    let seen = Seen {
        since: Some(NOW.minus(days(12))),
        ends: None,
    };
    assert_eq!(on_event.age(seen, NOW).as_deref(), Some("12 days"));
    assert_eq!(on_event.age(Seen::default(), NOW), None);
}

#[test]
fn a_certificate_is_due_when_it_ends_unless_there_is_time_to_renew_it() {
    let certificate = Credential {
        kind: Kind::TlsCertificate,
        interval_days: None,
        ..credential()
    };
    let seen = |ends| Seen {
        since: Some(NOW.minus(days(80))),
        ends: Some(ends),
    };
    let soon = NOW.plus(days(10));
    let due = |seen| certificate.due(seen, NOW);
    assert_eq!(due(seen(Ends::InGoodTime(soon))), Due::Fine { at: soon });
    assert_eq!(due(seen(Ends::Soon(soon))).words(NOW), "due in 10 days");
    assert_eq!(due(Seen::default()), Due::Unknown { at_latest: None });
}

#[test]
fn a_snooze_lasts_until_it_is_over_and_hides_only_what_is_due() {
    let later = NOW.plus(days(5));
    let mut overdue = rotated(days(183));
    overdue.snoozed = Some(snooze(later));
    assert_eq!(
        said(&overdue),
        "snoozed until 2027-01-20, overdue by 3 days"
    );
    assert_eq!(due(&overdue).stage(), None);
    assert_eq!(
        overdue.due(Seen::default(), later).stage(),
        Some(Stage::Overdue)
    );
    let mut fine = rotated(days(1));
    fine.snoozed = Some(snooze(later));
    assert!(matches!(due(&fine), Due::Fine { .. }));
}

#[test]
fn reminders_go_to_an_owner_who_has_an_address() {
    for (owner, address) in [
        (" anna@example.org ", Some("anna@example.org")),
        ("anna", None),
        ("anna@", None),
        ("anna @example.org", None),
        ("a@b@c", None),
        ("", None),
    ] {
        let mut credential = credential();
        owner.clone_into(&mut credential.owner);
        assert_eq!(credential.mail_address(), address, "{owner}");
    }
}

fn typed<'a>() -> Typed<'a> {
    Typed {
        title: " SMTP  password\n",
        place: "the mail server",
        owner: "",
        interval: "",
        procedure: "1. one\r\n2. two\r\n",
    }
}

#[test]
fn what_is_typed_is_tidied_and_checked_field_by_field() {
    let terms = Terms::read(typed()).unwrap();
    assert_eq!(terms.title, "SMTP password");
    assert_eq!(terms.procedure, "1. one\n2. two");
    assert_eq!(terms.interval_days, None);
    let long = "x".repeat(LONGEST_PROCEDURE + 1);
    for (wrong, field) in [
        (
            Typed {
                title: "  ",
                ..typed()
            },
            "title",
        ),
        (
            Typed {
                place: &long,
                ..typed()
            },
            "place",
        ),
        (
            Typed {
                interval: "0",
                ..typed()
            },
            "interval",
        ),
        (
            Typed {
                interval: "3651",
                ..typed()
            },
            "interval",
        ),
        (
            Typed {
                interval: "monthly",
                ..typed()
            },
            "interval",
        ),
        (
            Typed {
                procedure: &long,
                ..typed()
            },
            "procedure",
        ),
        (
            Typed {
                procedure: "a\0b",
                ..typed()
            },
            "procedure",
        ),
    ] {
        assert_eq!(Terms::read(wrong).unwrap_err().field, field);
    }
}

#[test]
fn what_the_register_begins_with_is_what_a_person_could_have_typed() {
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Other) {
        let terms = BuiltIn {
            kind,
            gateway: None,
        }
        .terms();
        let interval = terms
            .interval_days
            .map_or(String::new(), |days| days.to_string());
        let again = Terms::read(Typed {
            title: &terms.title,
            place: &terms.place,
            owner: &terms.owner,
            interval: &interval,
            procedure: &terms.procedure,
        });
        assert_eq!(again, Ok(terms), "{kind:?}");
    }
    assert_eq!(
        BuiltIn {
            kind: Kind::GatewayKey,
            gateway: None
        }
        .terms()
        .interval_days,
        Some(180)
    );
}

proptest! {
    /// Time passes: what is due comes nearer and never goes back by itself.
    #[test]
    fn as_time_passes_a_credential_only_comes_nearer(
        interval in 1_u16..=3_650, one in 0_u64..400_000_000, other in 0_u64..400_000_000,
    ) {
        let credential = Credential { interval_days: Some(interval), ..rotated(days(0)) };
        let (early, late) = (one.min(other), one.max(other));
        let at = |seconds| {
            let now = NOW.plus(Duration::from_secs(seconds));
            credential.due(Seen::default(), now)
        };
        let rank = |due: Due| match due {
            Due::Fine { .. } => 0,
            Due::Soon { stage, .. } => 1 + Stage::ALL.iter().position(|one| *one == stage).unwrap(),
            Due::Overdue { .. } => 9,
            other => panic!("{other:?}"),
        };
        prop_assert!(rank(at(early)) <= rank(at(late)));
        // The date itself does not move.
        prop_assert_eq!(at(early).at(), Some(NOW.plus(days(interval.into()))));
        prop_assert_eq!(at(late).at(), at(early).at());
    }

    /// Whatever was seen and noted, words are said, and a rotation makes nothing overdue.
    #[test]
    fn a_rotation_ends_an_overdue_state(interval in 2_u16..=3_650, overdue_for in 0_u32..1_000, snoozed: bool) {
        let mut credential = Credential {
            interval_days: Some(interval),
            ..rotated(days(u32::from(interval) + overdue_for))
        };
        prop_assert!(matches!(due(&credential), Due::Overdue { .. }), "before");
        credential.snoozed = snoozed.then(|| snooze(NOW.plus(days(1))));
        prop_assert!(!said(&credential).is_empty());
        credential.last = rotated(days(0)).last;
        prop_assert!(matches!(due(&credential), Due::Fine { .. }), "{:?}", due(&credential));
    }

    #[test]
    fn whatever_is_typed_is_kept_within_its_limits(
        title in any::<String>(), place in any::<String>(), owner in any::<String>(),
        interval in any::<String>(), procedure in any::<String>(),
    ) {
        let read = Terms::read(Typed {
            title: &title, place: &place, owner: &owner, interval: &interval, procedure: &procedure,
        });
        if let Ok(terms) = read {
            for line in [&terms.title, &terms.place, &terms.owner] {
                prop_assert!(line.chars().count() <= LONGEST_LINE);
                prop_assert!(!line.contains(char::is_control));
            }
            prop_assert!(!terms.title.is_empty());
            prop_assert!(!terms.procedure.contains('\0'));
        }
    }
}
