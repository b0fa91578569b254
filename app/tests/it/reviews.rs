//! Reviews: sign-off, questions and answers, and the packet of what waits.

use std::sync::Arc;
use std::time::Duration;

use app::forms::endpoint;
use domain::audit::{AuditEvent, AuditOutcome, Change, NewAuditEvent, act};
use domain::operation::OperationId;
use domain::person::{Actor, Role};
use domain::review::{Asked, OfficeHours, Review, Stretches, Verdict};
use uuid::Uuid;

use crate::browser::Browser;
use crate::fakes::NOW;
use crate::scenes::{ago, world};

fn by(number: u128, name: &str, role: Role) -> Actor {
    Actor::Person {
        id: Uuid::from_u128(number),
        name: name.to_owned(),
        role,
        address: Some("94.31.7.12".to_owned()),
        browser: Some("Safari on iPhone".to_owned()),
        session: None,
        token: None,
    }
}

/// Newest first: a role that anna changed (6), a link that carla made (5, asked for as 4), refused sign-ins (1 to 3).
pub(crate) fn trail() -> Vec<AuditEvent> {
    let carla = || by(3, "carla", Role::Operator);
    let nobody = || Actor::Nobody {
        address: Some("185.0.2.7".to_owned()),
    };
    let relink = |outcome| NewAuditEvent {
        gateway: "openclaw".parse().ok(),
        target: Some("account work".to_owned()),
        operation: Some(OperationId(Uuid::from_u128(1))),
        reason: Some("the phone was changed".to_owned()),
        ..NewAuditEvent::new(carla(), "relink", outcome)
    };
    let refused = || NewAuditEvent {
        target: Some("anna".to_owned()),
        ..NewAuditEvent::new(nobody(), act::SIGN_IN, AuditOutcome::Denied)
    };
    let role = NewAuditEvent {
        target: Some("ben".to_owned()),
        changes: vec![
            Change::new("role", Some("viewer"), Some("operator")),
            Change::hidden("password"),
        ],
        ..NewAuditEvent::new(
            by(1, "anna", Role::Admin),
            act::CHANGE_ROLE,
            AuditOutcome::Succeeded,
        )
    };
    let linked = NewAuditEvent {
        note: Some("Linked as +4915112345642.".to_owned()),
        duration_ms: Some(180_000),
        ..relink(AuditOutcome::Succeeded)
    };
    let events = [
        (6, 3_600, role),
        (5, 7_020, linked),
        (4, 7_200, relink(AuditOutcome::Requested)),
        (3, 8_000, refused()),
        (2, 8_010, refused()),
        (1, 8_020, refused()),
    ];
    let stored = |(sequence, seconds, event)| AuditEvent {
        sequence,
        id: Uuid::from_u128(500),
        at: ago(seconds),
        event,
    };
    events.map(stored).into()
}

fn review(verdict: Verdict, covers: &str, asked: Option<u128>) -> Review {
    Review {
        id: Uuid::from_u128(77),
        covers: Stretches::parse(covers).unwrap(),
        verdict,
        comment: Some("Why at night?".to_owned()),
        asked: asked.map(|id| Asked {
            id: Uuid::from_u128(id),
            name: "carla".to_owned(),
        }),
        by: by(9, "mia", Role::Manager),
        at: ago(60),
        answers: Vec::new(),
    }
}

#[tokio::test]
async fn an_event_tells_everything_about_it() {
    let browser = Browser::of(&Arc::new(world()), Role::Manager);
    let page = browser.get("/audit/6").await;
    for said in [
        "Event 6",
        "Anna changed the role of ben",
        "role viewer operator",
        "password not shown not shown",
        "anna, admin then",
        "94.•••.12 · Safari on iPhone",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    assert_eq!(browser.get("/audit/99").await.status, 404);
    assert_eq!(browser.get("/audit/x").await.status, 404);
}

#[tokio::test]
async fn the_packet_has_the_odd_on_top_and_one_button_for_the_rest() {
    let mut world = world();
    let mut plain = world.audit[1].clone();
    plain.sequence = 8;
    plain.event.operation = None;
    plain.event.note = None;
    "backup".clone_into(&mut plain.event.action);
    let mut other = plain.clone();
    other.sequence = 7;
    world.audit.extend([plain, other]);
    world.new_addresses = vec![5];
    world.office_hours = OfficeHours::parse("Mon 07:00-07:01", "UTC").map(Arc::new);
    let after_hours = Browser::of(&Arc::new(world), Role::Manager);
    let page = after_hours.get("/audit/review").await;
    assert!(
        page.says("Odd: linked anew, first time from this address, after hours"),
        "{}",
        page.text()
    );
    assert!(page.says("Odd: denied"));
    assert!(!page.says("The rest"));

    let mut world = self::world();
    let mut plain = world.audit[1].clone();
    plain.sequence = 8;
    plain.event.operation = None;
    "backup".clone_into(&mut plain.event.action);
    let mut other = plain.clone();
    other.sequence = 7;
    world.audit.extend([plain, other]);
    let world = Arc::new(world);
    let browser = Browser::of(&world, Role::Manager);
    let page = browser.get("/audit/review").await;
    let (first, rest) = page.html.split_once("The rest").unwrap();
    let (rest, _) = rest.split_once("Your own acts").unwrap();
    assert!(first.contains("Odd: linked anew") && !rest.contains("Odd:"));
    assert!(page.says("Sign off these 2"), "{}", page.text());
    assert!(page.html.contains("name=\"covers\" value=\"7-8\""));
    // Anna's own act is listed, and she is told who has to look.
    assert!(page.says("Your own acts") && page.says("Nobody signs off their own acts."));
    let form = "covers=7-8&verdict=seen&back=%2Faudit%2Freview";
    let answer = browser
        .post("/audit/review", endpoint::REVIEW_EVENTS, form)
        .await;
    assert_eq!(
        (answer.status, answer.location.as_str()),
        (302, "/audit/review")
    );
    assert_eq!(world.done(), ["anna reviews 7-8: seen None to None"]);
}

#[tokio::test]
async fn a_period_is_signed_off_without_what_happened_outside_it() {
    let mut world = world();
    let mut plain = world.audit[1].clone();
    plain.sequence = 8;
    plain.event.operation = None;
    "backup".clone_into(&mut plain.event.action);
    let mut earlier = plain.clone();
    earlier.sequence = 7;
    earlier.at = NOW.minus(Duration::from_secs(10 * 86_400));
    plain.at = NOW;
    let (day, before) = (plain.at.utc_date(), earlier.at.utc_date());
    world.audit.extend([plain, earlier]);
    let world = Arc::new(world);
    let browser = Browser::of(&world, Role::Manager);
    let url = format!("/audit/review?span=range&from={before}&to={before}");
    let page = browser.get(&url).await;
    assert!(page.says("Only what fits:"), "{}", page.text());
    assert!(
        page.html.contains("name=\"covers\" value=\"7\""),
        "{}",
        page.html
    );
    let page = browser
        .get(&format!("/audit/review?span=range&from={day}"))
        .await;
    assert!(
        page.html.contains("name=\"covers\" value=\"8\""),
        "{}",
        page.html
    );
    // Where it cannot be read, nothing is left out, and the field says what helps.
    let page = browser.get("/audit/review?span=range&from=soon").await;
    assert!(page.says("Give a day, like 2026-11-22"), "{}", page.text());
    let page = browser.get("/audit/review?gateway=no%20gateway").await;
    assert!(
        page.says("The filter cannot be read, so everything that waits is shown."),
        "{}",
        page.text()
    );
    let page = browser
        .get("/audit/review?span=range&from=2001-01-01&to=2001-01-02")
        .await;
    assert!(page.says("Nothing of it waits"), "{}", page.text());
    let form = "covers=7&verdict=seen&comment=as%20planned&back=%2Faudit%2Freview%3Fspan%3D7d";
    let answer = browser.post(&url, endpoint::REVIEW_EVENTS, form).await;
    assert_eq!(answer.location, "/audit/review?span=7d");
    assert_eq!(
        world.done(),
        ["anna reviews 7: seen Some(\"as planned\") to None"]
    );
}

#[tokio::test]
async fn what_waits_is_counted_in_the_navigation_of_those_who_review() {
    let world = Arc::new(world());
    for (role, says) in [(Role::Manager, true), (Role::Operator, false)] {
        let page = Browser::of(&world, role).get("/account").await;
        // One link and three refused sign-ins; the role was changed by anna herself.
        assert_eq!(page.says("4 to review"), says, "{}", page.text());
    }
    let page = Browser::of(&world, Role::Manager).get("/audit").await;
    assert!(page.says("4 events wait for review"), "{}", page.text());
}

#[tokio::test]
async fn nobody_signs_off_their_own_acts() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Admin);
    let page = browser.get("/audit/6").await;
    assert!(page.says("Nobody signs off their own acts."));
    assert!(!page.html.contains(endpoint::REVIEW_EVENTS));
    let list = browser.get("/audit?what=change-role").await;
    assert!(list.says("your own act") && !list.says("Sign off"));
    let answer = browser
        .post("/audit/6", endpoint::REVIEW_EVENTS, "covers=6&verdict=seen")
        .await;
    assert!(answer.location.contains("__err="), "{}", answer.location);
    assert!(world.done().is_empty());
}

#[tokio::test]
async fn what_one_agreed_to_as_the_second_person_is_not_among_what_one_signs_off() {
    let mut world = world();
    let mut plain = world.audit[1].clone();
    plain.sequence = 8;
    plain.event.operation = Some(OperationId(Uuid::from_u128(2)));
    "backup".clone_into(&mut plain.event.action);
    let mut other = plain.clone();
    (other.sequence, other.event.operation) = (10, None);
    world.audit.extend([plain, other]);
    let key = by(1, "anna", Role::Manager).key();
    world.agreed = [(OperationId(Uuid::from_u128(2)), key)]
        .into_iter()
        .collect();
    let browser = Browser::of(&Arc::new(world), Role::Manager);
    let page = browser.get("/audit/review").await;
    let (rest, own) = page.html.split_once("Your own acts").unwrap();
    assert!(rest.contains("Sign off this one"), "{}", page.text());
    assert!(
        rest.contains("name=\"covers\" value=\"10\""),
        "{}",
        page.html
    );
    assert!(own.contains("you agreed to it"), "{}", page.text());
    assert!(page.says("Agreeing as the second person is one, too."));
    let page = browser.get("/audit/8").await;
    assert!(page.says("Agreeing as the second person is one, too."));
    assert!(!page.html.contains(endpoint::REVIEW_EVENTS));
    // One link, three refused sign-ins and the one of nobody's: not the role, and not what she agreed to.
    assert!(page.says("5 to review"), "{}", page.text());
}

#[tokio::test]
async fn what_is_not_known_is_not_said_to_be_nothing() {
    let mut world = world();
    world.unsaid = Some("what waits for a review");
    let browser = Browser::of(&Arc::new(world), Role::Manager);
    let page = browser.get("/audit").await;
    assert!(
        page.says("It is not known at the moment what waits for your review"),
        "{}",
        page.text()
    );
    assert!(page.says("? to review") && !page.says("Nothing waits"));
}

#[tokio::test]
async fn a_spray_over_many_names_is_one_row_with_one_sign_off() {
    let mut world = world();
    let refused = world.audit[5].clone();
    for number in 0..90_i64 {
        let mut event = refused.clone();
        event.sequence = 100 + 2 * number;
        event.at = ago(u64::try_from(5_000 - 10 * number).unwrap());
        event.event.actor = Actor::Nobody {
            address: Some(format!("185.0.2.{}", 1 + number % 2)),
        };
        event.event.note = Some(format!("{number} tries before it were turned away."));
        event.event.target = match number % 3 {
            0 => Some("anna".to_owned()),
            1 => Some("ben".to_owned()),
            _ => None,
        };
        world.audit.push(event);
    }
    let browser = Browser::of(&Arc::new(world), Role::Manager);
    let page = browser.get("/audit/review").await;
    assert!(
        page.says(
            "93 sign-ins were refused, for 2 names and some that nobody has, from 3 addresses"
        ),
        "{}",
        page.text()
    );
    assert!(
        page.says("Odd: denied") && page.says("87 notes more"),
        "{}",
        page.text()
    );
    // The link and the spray, each with its button.
    assert_eq!(page.html.matches(">Sign off</button>").count(), 2);
    assert!(page.html.contains("value=\"1-3,100,102,"), "{}", page.html);
}

#[tokio::test]
async fn a_form_covers_no_more_than_a_review_can_and_says_how_many() {
    let mut world = world();
    for number in 0..600_i64 {
        let mut done = world.audit[1].clone();
        done.sequence = 1_000 + 4 * number;
        done.event.operation = Some(OperationId(Uuid::from_u128(number.unsigned_abs().into())));
        "backup".clone_into(&mut done.event.action);
        let mut asked = done.clone();
        asked.sequence -= 2;
        asked.event.outcome = AuditOutcome::Requested;
        world.audit.extend([done, asked]);
    }
    let world = Arc::new(world);
    let browser = Browser::of(&world, Role::Manager);
    let page = browser.get("/audit/review?what=backup").await;
    assert!(
        page.says("Sign off the first 500 of these 600"),
        "{}",
        page.text()
    );
    let (_, form) = page.html.rsplit_once("name=\"covers\" value=\"").unwrap();
    let (covers, _) = form.split_once('"').unwrap();
    let form = format!("covers={covers}&verdict=seen&back=%2Faudit%2Freview");
    let answer = browser
        .post("/audit/review", endpoint::REVIEW_EVENTS, &form)
        .await;
    assert_eq!(answer.location, "/audit/review");
    assert_eq!(world.done().len(), 1);
}

#[tokio::test]
async fn an_act_by_a_token_says_so_and_an_event_says_in_which_session() {
    let mut world = world();
    let Actor::Person {
        session,
        token,
        browser,
        ..
    } = &mut world.audit[0].event.actor
    else {
        panic!("a person changed the role");
    };
    *session = Some(Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_dead_beef));
    *token = Some("deploys".to_owned());
    *browser = None;
    let browser = Browser::of(&Arc::new(world), Role::Manager);
    for url in ["/audit", "/audit?view=events", "/audit/review"] {
        let page = browser.get(url).await;
        assert!(
            page.says("94.•••.12 · by the token “deploys”"),
            "{url}: {}",
            page.text()
        );
    }
    let page = browser.get("/audit/6").await;
    for said in [
        "Token “deploys”, with which a program acted for them",
        "Session deadbeef",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    let page = browser.get("/audit/5").await;
    assert!(
        !page.says("Token") && !page.says("Session"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn what_reviewers_and_the_asked_write_is_masked_by_role() {
    let mut world = world();
    let mut review = review(Verdict::Question, "5", Some(3));
    review.comment = Some("Whose is 0151 12345642?".to_owned());
    review.answers.push(domain::review::Answer {
        by: by(3, "carla", Role::Operator),
        at: NOW,
        text: "Mine, +49 151 12345642.".to_owned(),
    });
    world.reviews = vec![review];
    let world = Arc::new(world);
    for (role, shown) in [(Role::Admin, true), (Role::Manager, false)] {
        let page = Browser::of(&world, role).get("/audit/5").await;
        for number in ["0151 12345642", "+49 151 12345642"] {
            assert_eq!(page.says(number), shown, "{number}: {}", page.text());
        }
    }
}

#[tokio::test]
async fn who_may_not_review_is_told_so_and_audited() {
    let world = Arc::new(world());
    for role in [Role::Operator, Role::Viewer] {
        let browser = Browser::of(&world, role);
        let answer = browser
            .post("/audit", endpoint::REVIEW_EVENTS, "covers=5&verdict=seen")
            .await;
        assert!(answer.location.contains("__err="));
        assert_eq!(browser.get("/audit/review").await.status, 403);
    }
    assert!(world.done().is_empty());
    let written = world.written.lock().unwrap();
    assert!(
        written.iter().all(|event| event.action == "review-audit"),
        "{written:?}"
    );
    assert_eq!(written.len(), 4);
}

#[tokio::test]
async fn a_question_without_words_or_person_comes_back_with_what_was_typed() {
    let browser = Browser::of(&Arc::new(world()), Role::Manager);
    let ben = Uuid::from_u128(2);
    let form = format!("covers=5&verdict=question&asked={ben}&comment=");
    let answer = browser
        .post("/audit/5", endpoint::REVIEW_EVENTS, &form)
        .await;
    let page = browser.get(&answer.location).await;
    assert!(page.says("Write what you want to know."), "{}", page.text());
    assert!(page.html.contains("aria-describedby=\"comment-error\""));
    assert!(page.html.contains("value=\"question\" checked"));
    assert!(
        page.html
            .contains(&format!("<option value=\"{ben}\" selected"))
    );
    let form = "covers=5&verdict=question&asked=&comment=why%3F";
    let answer = browser
        .post("/audit/5", endpoint::REVIEW_EVENTS, form)
        .await;
    let page = browser.get(&answer.location).await;
    assert!(page.says("Choose who is asked.") && page.says("why?"));
    let form = format!(
        "covers=5&verdict=question&asked={}&comment=why%3F",
        Uuid::from_u128(1)
    );
    let answer = browser
        .post("/audit/5", endpoint::REVIEW_EVENTS, &form)
        .await;
    assert!(
        browser
            .get(&answer.location)
            .await
            .says("You cannot ask yourself.")
    );
}

#[tokio::test]
async fn a_question_goes_to_a_person() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Manager);
    let form = format!(
        "covers=5&verdict=question&asked={}&comment=why%3F",
        Uuid::from_u128(2)
    );
    let answer = browser
        .post("/audit/5", endpoint::REVIEW_EVENTS, &form)
        .await;
    assert_eq!(answer.location, "/audit/5");
    assert_eq!(
        world.done(),
        ["anna reviews 5: question Some(\"why?\") to Some(\"ben\")"]
    );
}

#[tokio::test]
async fn who_is_asked_sees_it_everywhere_answers_in_place_and_reads_nothing_else() {
    let mut world = world();
    // Anna, here a viewer, is asked about event 5; event 6 has a review of its own.
    world.reviews = vec![review(Verdict::Question, "5", Some(1))];
    let world = Arc::new(world);
    let browser = Browser::of(&world, Role::Viewer);
    let page = browser.get("/gateways/openclaw").await;
    assert!(
        page.says("mia asks you about something that was done."),
        "{}",
        page.text()
    );
    assert!(page.html.contains("href=\"/audit/5\""));
    let page = browser.get("/audit/5").await;
    assert_eq!(page.status, 200);
    assert!(page.says("“Why at night?”") && page.says("Your answer"));
    assert!(!page.says("asks you about") && !page.says("Hash of this event"));
    for other in ["/audit", "/audit/6", "/audit/review"] {
        assert_eq!(browser.get(other).await.status, 403, "{other}");
    }
    let id = Uuid::from_u128(77);
    let empty = browser
        .post(
            "/audit/5",
            endpoint::ANSWER_QUESTION,
            &format!("review={id}&event=5&answer=+"),
        )
        .await;
    assert!(browser.get(&empty.location).await.says("Write an answer."));
    let given = browser
        .post(
            "/audit/5",
            endpoint::ANSWER_QUESTION,
            &format!("review={id}&event=5&answer=It+hung."),
        )
        .await;
    assert_eq!(given.location, "/audit/5");
    assert_eq!(world.done(), ["anna answers It hung."]);
}

#[tokio::test]
async fn nobody_else_answers() {
    let mut world = world();
    world.reviews = vec![review(Verdict::Question, "5", Some(3))];
    let world = Arc::new(world);
    let browser = Browser::of(&world, Role::Admin);
    let page = browser.get("/audit/5").await;
    assert!(
        page.says("Question to carla") && !page.says("Your answer"),
        "{}",
        page.text()
    );
    let form = format!("review={}&event=5&answer=x", Uuid::from_u128(77));
    let answer = browser
        .post("/audit/5", endpoint::ANSWER_QUESTION, &form)
        .await;
    assert!(
        browser
            .get(&answer.location)
            .await
            .says("Only the person who is asked can answer.")
    );
    assert!(world.done().is_empty());
}

#[tokio::test]
async fn what_was_said_stands_on_the_list_and_on_the_event() {
    let mut world = world();
    world.reviews = vec![review(Verdict::Seen, "4-6", None)];
    let browser = Browser::of(&Arc::new(world), Role::Manager);
    let list = browser.get("/audit").await;
    assert!(list.says("seen by mia"), "{}", list.text());
    let page = browser.get("/audit/5").await;
    assert!(
        page.says("mia : Seen, fine") && page.says("together with 2 other events"),
        "{}",
        page.text()
    );
    assert!(page.says("This does not wait for a review"));
}
