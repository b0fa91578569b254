use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::audit::NewAuditEvent;
use crate::person::Actor;

fn read(pairs: &[(&str, &str)]) -> Result<Filter, Vec<BadField>> {
    let pairs: BTreeMap<&str, &str> = pairs.iter().copied().collect();
    Filter::read(|name| pairs.get(name).copied().unwrap_or_default())
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

prop_compose! {
    fn spans()(which in 0..7_usize, from in 1..4_000_000_000_i64, long in 1..90_000_000_i64, days in any::<bool>(), ends in 0..3)
        -> Span
    {
        let from = if days { from - from % 86_400 } else { from };
        let to = from + if days { 86_400 * (1 + long / 86_400) } else { long };
        let moment = |seconds: i64| Some(Timestamp::from_millis(seconds * 1_000));
        match (Span::NAMED.get(which), ends) {
            (Some(named), _) => *named,
            (None, 0) => Span::Between(moment(from), None),
            (None, 1) => Span::Between(None, moment(to)),
            (None, _) => Span::Between(moment(from), moment(to)),
        }
    }
}

prop_compose! {
    fn filters()(
        span in spans(),
        person in prop::option::of(prop_oneof![
            Just("panel".to_owned()),
            Just("nobody".to_owned()),
            any::<u128>().prop_map(|id| format!("person:{}", Uuid::from_u128(id))),
            "[a-z]{1,20}".prop_map(|user| format!("cli:{user}")),
        ]),
        gateway in prop::option::of("[a-z][a-z0-9]{1,10}"),
        what in prop::option::of("(changes|operations|sign-ins|reviews|[a-z][a-z-]{0,20})"),
        outcome in prop::option::of(prop::sample::select(AuditOutcome::ALL.to_vec())),
        operation in prop::option::of(any::<u128>()),
        text in prop::option::of("[a-z&=%+ ]{0,20}[a-z]"),
    ) -> Filter {
        Filter {
            span,
            person,
            gateway: gateway.map(|id| id.parse().unwrap()),
            what: what.and_then(|word| What::parse(&word)),
            outcome,
            operation: operation.map(|id| OperationId(Uuid::from_u128(id))),
            text: text.map(|text| text.trim().to_owned()),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_into_a_url_is_read_from_it(filter in filters()) {
        let pairs = filter.pairs();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        prop_assert!(pairs.iter().all(|(name, _)| Filter::FIELDS.contains(name)));
        prop_assert_eq!(read(&pairs), Ok(filter));
    }

    #[test]
    fn whatever_stands_in_a_url_is_read_or_refused(values in prop::collection::vec(".{0,30}", 9)) {
        let pairs: Vec<(&str, &str)> = Filter::FIELDS.into_iter().zip(values.iter().map(String::as_str)).collect();
        if let Err(wrong) = read(&pairs) {
            prop_assert!(wrong.iter().all(|bad| Filter::FIELDS.contains(&bad.field)));
        }
    }
}

#[test]
fn each_field_says_what_is_wrong_with_it() {
    for (pairs, field) in [
        (vec![("span", "soon")], "span"),
        (vec![("span", "today"), ("from", "2026-11-22")], "span"),
        (vec![("from", "yesterday")], "from"),
        (vec![("from", "2026-11-22"), ("to", "2026-11-21")], "to"),
        (vec![("to", "2026-11-31")], "to"),
        (vec![("person", "person:anna")], "person"),
        (vec![("gateway", "../x")], "gateway"),
        (vec![("what", "DROP TABLE")], "what"),
        (vec![("outcome", "great")], "outcome"),
        (vec![("operation", "7")], "operation"),
        (vec![("text", "…")], "text"),
    ] {
        let wrong = read(&pairs).unwrap_err();
        assert_eq!(wrong.len(), 1, "{pairs:?}: {wrong:?}");
        assert_eq!(wrong[0].field, field);
    }
    let all = [("span", "x"), ("outcome", "y"), ("operation", "z")];
    assert_eq!(read(&all).unwrap_err().len(), 3);
}

#[test]
fn a_day_is_whole_and_a_week_begins_on_monday() {
    let filter = read(&[("from", "2026-11-22"), ("to", "2026-11-22")]).unwrap();
    let (from, to) = filter.span.limits(Timestamp::default());
    assert_eq!(from, Some(at("2026-11-22T00:00:00Z")));
    assert_eq!(to, Some(at("2026-11-23T00:00:00Z")));
    // A Sunday, a Monday and a Thursday.
    for (now, monday) in [
        ("2026-11-22T23:59:59Z", "2026-11-16T00:00:00Z"),
        ("2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z"),
        ("2026-11-26T12:00:00Z", "2026-11-23T00:00:00Z"),
    ] {
        assert_eq!(Span::Week.limits(at(now)), (Some(at(monday)), None));
    }
    let now = at("2026-11-22T02:14:05Z");
    assert_eq!(Span::Today.limits(now).0, Some(at("2026-11-22T00:00:00Z")));
    assert_eq!(
        Span::Hours24.limits(now).0,
        Some(now.minus(Duration::from_secs(86_400)))
    );
}

#[test]
fn an_event_is_let_through_by_what_it_is() {
    let now = at("2026-11-22T02:14:05Z");
    let event = AuditEvent {
        sequence: 7,
        id: Uuid::nil(),
        at: now.minus(Duration::from_secs(3_600 * 30)),
        event: NewAuditEvent {
            gateway: "openclaw".parse().ok(),
            target: Some("account Default".to_owned()),
            operation: Some(OperationId(Uuid::from_u128(3))),
            reason: Some("it hangs".to_owned()),
            ..NewAuditEvent::new(Actor::Panel, "restart", AuditOutcome::Succeeded)
        },
    };
    let operation = Uuid::from_u128(3).to_string();
    for yes in [
        vec![],
        vec![("span", "7d")],
        vec![("person", "panel"), ("gateway", "openclaw")],
        vec![("what", "restart"), ("outcome", "succeeded")],
        vec![("what", "changes")],
        vec![("what", "operations"), ("operation", &operation)],
        vec![("text", "hang DEFAULT")],
        vec![("from", "2026-11-20"), ("to", "2026-11-20")],
    ] {
        assert!(read(&yes).unwrap().takes(&event, now), "{yes:?}");
    }
    for no in [
        vec![("span", "24h")],
        vec![("person", "nobody")],
        vec![("gateway", "other")],
        vec![("what", "sign-ins")],
        vec![("outcome", "failed")],
        vec![("text", "hangs nothing")],
        // Of a word only its beginning.
        vec![("text", "angs")],
        vec![("to", "2026-11-19")],
    ] {
        assert!(!read(&no).unwrap().takes(&event, now), "{no:?}");
    }
}

#[test]
fn every_operation_of_the_vocabulary_is_an_action_and_numbers_are_known() {
    assert!(operations().all(is_operation));
    assert!(!is_operation(act::SIGN_IN));
    let seeks = |text| read(&[("text", text)]).unwrap().seeks_number();
    assert!(seeks("from 49151"));
    assert!(!seeks("2026 in vps-i1"));
}
