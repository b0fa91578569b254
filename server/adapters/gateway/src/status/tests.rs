use super::*;
use proptest::prelude::*;
use serde_json::json;

fn read(payload: &Value) -> Option<Vec<Account>> {
    accounts(payload, &Scrubber::default()).unwrap()
}

#[test]
fn a_connected_account_is_read_from_both_places() {
    // Seen on 2026.9.6.
    let payload = json!({
        "ts": 1_795_374_453_100_u64,
        "channels": {"whatsapp": {"configured":true,"statusState":"linked","linked":true,
            "authAgeMs":415.5,"self":{"e164":"+15550100001","jid":"15550100001@s.whatsapp.net"},
            "running":true,"connected":true}},
        "channelAccounts": {"whatsapp": [{"accountId":"default","enabled":true,"configured":true,
            "linked":true,"running":true,"connected":true,"reconnectAttempts":1,
            "lastConnectedAt":1_795_374_453_059_u64,
            "lastDisconnect":{"at":1_795_374_450_000_u64,"status":428,"loggedOut":false},
            "lastInboundAt":null,"lastError":null,"healthState":"healthy"}]},
        "channelDefaultAccountId": {"whatsapp":"default"}
    });
    let found = read(&payload).unwrap();
    let account = &found[0];
    assert!(account.linked && account.connected && account.running && account.enabled);
    assert_eq!(account.phone.as_deref(), Some("+15550100001"));
    assert_eq!(account.credential_age_ms, Some(415));
    assert_eq!(account.reconnect_attempts, 1);
    let drop = account.last_disconnect.as_ref().unwrap();
    assert_eq!((drop.code, drop.logged_out), (Some(428), false));
    assert_eq!(account.last_inbound_at, None);
    assert!(!account.breaker_tripped);
}

#[test]
fn no_channel_is_no_plugin_and_an_empty_one_is() {
    assert_eq!(read(&json!({"channels":{},"channelAccounts":{}})), None);
    assert_eq!(
        read(&json!({"channels":{},"channelAccounts":{"whatsapp":[]}})),
        Some(Vec::new())
    );
    assert!(accounts(&json!({"nonsense":true}), &Scrubber::default()).is_err());
}

#[test]
fn an_older_version_without_a_list_still_has_the_default_account() {
    let found = read(&json!({"channels":{"whatsapp":{"linked":false}}})).unwrap();
    assert_eq!(found[0].id.as_str(), "default");
    assert!(!found[0].configured);
}

#[test]
fn the_breaker_is_seen_and_errors_are_scrubbed() {
    let payload = json!({"channelAccounts":{"whatsapp":[{"accountId":"work","linked":true,
        "lastError":"gateway restart-loop breaker tripped: 3 unclean boot(s); token=abcdef123456"}]}});
    let found = read(&payload).unwrap();
    assert!(found[0].breaker_tripped);
    let error = found[0].last_error.as_deref().unwrap();
    assert!(!error.contains("abcdef123456"), "{error}");
}

#[test]
fn the_channels_number_is_not_given_to_another_account() {
    let payload = json!({
        "channels":{"whatsapp":{"self":{"e164":"+15550100001"}}},
        "channelAccounts":{"whatsapp":[{"accountId":"default"},{"accountId":"work"}]}
    });
    let found = read(&payload).unwrap();
    assert_eq!(found[0].phone.as_deref(), Some("+15550100001"));
    assert_eq!(found[1].phone, None);
}

#[test]
fn an_account_with_an_impossible_name_is_left_out() {
    let payload = json!({"channelAccounts":{"whatsapp":[{"accountId":"a/b"},{"accountId":7},3]}});
    assert_eq!(read(&payload), Some(Vec::new()));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let key = prop_oneof![
            Just("channels".to_owned()),
            Just("channelAccounts".to_owned()),
            Just("whatsapp".to_owned()),
            Just("accountId".to_owned()),
            Just("lastDisconnect".to_owned()),
            Just("self".to_owned()),
            "[a-z]{1,6}",
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_upsets_it(
        entry in any_json(),
        channel in any_json(),
        whole in any_json(),
    ) {
        drop(accounts(&whole, &Scrubber::default()));
        let payload = json!({"channels":{"whatsapp":channel},"channelAccounts":{"whatsapp":[entry]}});
        drop(accounts(&payload, &Scrubber::default()));
    }
}
