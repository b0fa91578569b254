//! The accounts page: how each stands, and what became of it.

use std::sync::Arc;

use domain::account_history::{AccountChange, Standing};
use domain::operation::OperationId;
use domain::person::Role;
use uuid::Uuid;

use crate::browser::Browser;
use crate::scenes::{ago, world};

const PAGE: &str = "/gateways/openclaw/accounts";

fn change(seconds_ago: u64, to: Standing, code: Option<u16>, cause: &str) -> AccountChange {
    AccountChange {
        gateway: "openclaw".parse().unwrap(),
        account: "default".parse().unwrap(),
        at: ago(seconds_ago),
        to,
        code,
        cause: cause.to_owned(),
        operation: None,
        planned_by: None,
    }
}

#[tokio::test]
async fn each_change_says_why_how_long_and_by_whom() {
    let mut world = world();
    world.account_changes = vec![
        change(60, Standing::Connected, None, ""),
        AccountChange {
            operation: Some(OperationId(Uuid::from_u128(3))),
            planned_by: Some("Restart by ben".to_owned()),
            ..change(90, Standing::Unknown, None, "the gateway does not answer")
        },
        change(
            3_690,
            Standing::Away,
            Some(428),
            "WhatsApp closed the connection",
        ),
    ];
    let world = Arc::new(world);
    let page = Browser::of(&world, Role::Operator).get(PAGE).await;
    for said in [
        "Connected",
        "since 1 min",
        "Not known: the gateway does not answer",
        "for 30 s",
        "by Restart by ben",
        "Not connected: WhatsApp closed the connection (428)",
        "for 1 h",
        "3, more than in the 30 days before (1)",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    assert!(
        page.html
            .contains("/operations/00000000-0000-0000-0000-000000000003")
    );
}

#[tokio::test]
async fn whoever_need_not_see_the_number_does_not() {
    let world = Arc::new(world());
    let operator = Browser::of(&world, Role::Operator).get(PAGE).await;
    let viewer = Browser::of(&world, Role::Viewer).get(PAGE).await;
    let number = operator.pieces("<dt>Number</dt><dd>", "</dd>")[0].to_owned();
    assert!(!viewer.html.contains(&number), "{number}");
    assert!(viewer.says("Nothing was noted yet."));
}
