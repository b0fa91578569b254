use proptest::prelude::*;

use super::*;
use crate::audit::NewAuditEvent;
use crate::operation::OperationId;
use crate::person::Role;

fn person(number: u128, role: Role) -> Actor {
    Actor::Person {
        id: Uuid::from_u128(number),
        name: format!("person-{number}"),
        role,
        address: None,
        browser: None,
        session: None,
        token: None,
    }
}

fn event(sequence: i64, by: Actor, action: &str, outcome: AuditOutcome) -> AuditEvent {
    AuditEvent {
        sequence,
        id: Uuid::nil(),
        at: Timestamp::default(),
        event: NewAuditEvent::new(by, action, outcome),
    }
}

fn review(by: Actor, verdict: Verdict, covers: &str) -> Review {
    Review {
        id: Uuid::nil(),
        covers: Stretches::parse(covers).unwrap(),
        verdict,
        comment: None,
        asked: None,
        by,
        at: Timestamp::default(),
        answers: Vec::new(),
    }
}

#[test]
fn what_changes_something_and_what_is_denied_is_reviewed_and_what_is_routine_is_not() {
    for (action, outcome, wanted) in [
        ("restart", AuditOutcome::Requested, false),
        ("restart", AuditOutcome::Succeeded, true),
        ("restart", AuditOutcome::Undone, true),
        (act::CHANGE_ROLE, AuditOutcome::Succeeded, true),
        (act::REVEAL_KEY, AuditOutcome::Succeeded, true),
        (act::EXPORT_AUDIT, AuditOutcome::Succeeded, true),
        ("something-new", AuditOutcome::Succeeded, true),
        (act::SIGN_IN, AuditOutcome::Succeeded, false),
        (act::SIGN_IN, AuditOutcome::Denied, true),
        ("view-people", AuditOutcome::Denied, true),
        (act::REVIEW, AuditOutcome::Succeeded, false),
    ] {
        assert_eq!(
            wants_review(action, outcome),
            wanted,
            "{action} {outcome:?}"
        );
    }
}

#[test]
fn nobody_signs_off_their_own_acts_whatever_role_they_have_by_now() {
    let none = Agreed::default();
    let own = event(
        5,
        person(1, Role::Admin),
        "restart",
        AuditOutcome::Succeeded,
    );
    let by_self = review(person(1, Role::Manager), Verdict::Seen, "1-9");
    assert!(may_review(&by_self.by, &own, &none).is_err());
    assert!(waits(&own, [&by_self], &none));
    let by_other = review(person(2, Role::Manager), Verdict::Seen, "1-9");
    assert!(!waits(&own, [&by_self, &by_other], &none));
    // A period settles what others did, and leaves the reviewer's own acts within it.
    let others = event(
        6,
        person(2, Role::Operator),
        "restart",
        AuditOutcome::Failed,
    );
    assert!(!waits(&others, [&by_self], &none));
    assert!(waits(&others, [&by_other], &none));
}

#[test]
fn what_one_agreed_to_as_the_second_person_is_ones_own() {
    let id = OperationId(Uuid::from_u128(7));
    let mut done = event(5, person(1, Role::Admin), "wipe", AuditOutcome::Succeeded);
    done.event.operation = Some(id);
    let agreed = Agreed::from_iter([(id, person(2, Role::Manager).key())]);
    let by = |number| review(person(number, Role::Manager), Verdict::Seen, "1-9");
    assert!(may_review(&by(2).by, &done, &agreed).is_err());
    assert!(waits(&done, [&by(1), &by(2)], &agreed));
    assert!(!waits(&done, [&by(1), &by(2), &by(3)], &agreed));
    // Of another operation, or of none, it is not.
    done.event.operation = Some(OperationId(Uuid::from_u128(8)));
    assert!(!waits(&done, [&by(2)], &agreed));
}

#[test]
fn a_question_settles_nothing_and_a_follow_up_does() {
    let event = event(
        5,
        person(1, Role::Admin),
        "restart",
        AuditOutcome::Succeeded,
    );
    let by = |verdict| review(person(2, Role::Manager), verdict, "5");
    let none = Agreed::default();
    assert!(waits(&event, [&by(Verdict::Question)], &none));
    assert!(!waits(
        &event,
        [&by(Verdict::Question), &by(Verdict::FollowUp)],
        &none
    ));
    assert!(waits(
        &event,
        [&review(person(2, Role::Manager), Verdict::Seen, "4,6")],
        &none
    ));
}

#[test]
fn only_the_person_who_is_asked_answers() {
    let mut question = review(person(2, Role::Manager), Verdict::Question, "5");
    assert!(question.may_answer(&person(1, Role::Admin)).is_err());
    question.asked = Some(Asked {
        id: Uuid::from_u128(1),
        name: "anna".to_owned(),
    });
    assert!(question.waits_for(&person(1, Role::Viewer)));
    assert!(!question.waits_for(&person(3, Role::Admin)));
    assert!(question.may_answer(&Actor::Panel).is_err());
    question.answers.push(Answer {
        by: person(1, Role::Viewer),
        at: Timestamp::default(),
        text: "It hung.".to_owned(),
    });
    assert!(!question.waits_for(&person(1, Role::Viewer)));
    assert!(question.may_answer(&person(1, Role::Viewer)).is_ok());
}

#[test]
fn a_question_needs_words_and_somebody_to_answer() {
    let asked = || {
        Some(Asked {
            id: Uuid::nil(),
            name: "anna".to_owned(),
        })
    };
    let words = || Some("why?".to_owned());
    let new = |verdict, comment, asked| Draft::new(Stretches::of([5]), verdict, comment, asked);
    let field = |draft: Result<Draft, BadField>| draft.map_err(|bad| bad.field);
    assert_eq!(
        field(new(Verdict::Question, None, asked())).unwrap_err(),
        "comment"
    );
    assert_eq!(
        field(new(Verdict::Question, words(), None)).unwrap_err(),
        "asked"
    );
    assert_eq!(
        field(new(Verdict::FollowUp, None, None)).unwrap_err(),
        "comment"
    );
    assert!(new(Verdict::Question, words(), asked()).is_ok());
    // Whoever was chosen before another verdict was is not asked.
    assert_eq!(new(Verdict::Seen, None, asked()).unwrap().asked, None);
    let none = Draft::new(Stretches::default(), Verdict::Seen, None, None);
    assert_eq!(field(none).unwrap_err(), "covers");
}

#[test]
fn stretches_of_a_form_are_read_or_refused() {
    assert_eq!(Stretches::of([5, 3, 4, 8, 8]).text(), "3-5,8");
    assert_eq!(Stretches::of([5, 3, 4, 8]).count(), 4);
    for bad in [
        "", "0", "-1", "5-3", "3,3", "8,3", "3-5,5", "a", "3-", "1,,2",
    ] {
        assert_eq!(Stretches::parse(bad), None, "{bad}");
    }
}

#[test]
fn one_review_covers_as_many_groups_as_its_form_can_hold() {
    let lone = |n: i64| vec![2 * n];
    let (covers, taken) = Stretches::of_groups((1..=999).map(lone).chain([
        // Beside each other, one more, and one too many; what comes after it is not looked at.
        vec![5_001, 5_000],
        vec![7_000, 8_000],
        vec![5_002],
    ]));
    assert_eq!((taken, covers.count()), (1_000, 1_001));
    assert_eq!(Stretches::parse(&covers.text()), Some(covers));
    let (covers, taken) = Stretches::of_groups([vec![3, 1], vec![2]]);
    assert_eq!((taken, covers.text().as_str()), (2, "1-3"));
    // Of one that is too large itself, its newest.
    let covers = Stretches::of((1..=1_200).map(|n| 2 * n)).newest();
    assert_eq!((covers.first(), covers.last()), (Some(402), Some(2_400)));
    assert_eq!(Stretches::parse(&covers.text()), Some(covers));
}

proptest! {
    #[test]
    fn stretches_hold_what_they_are_made_of_and_read_back(numbers in prop::collection::btree_set(1..500_i64, 1..50)) {
        let stretches = Stretches::of(numbers.iter().copied());
        for number in 1..500 {
            prop_assert_eq!(stretches.contains(number), numbers.contains(&number));
        }
        prop_assert_eq!(stretches.count(), numbers.len() as u64);
        prop_assert_eq!(Stretches::parse(&stretches.text()), Some(stretches));
    }
}
