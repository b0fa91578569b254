//! The panel's identity is renewed at the real gateway: what the operation does, one act after the other.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use adapter_gateway::device::{DeviceFolder, DeviceIdentity, Identities};
use adapter_gateway::http::Trust;
use adapter_gateway::link::{Approver as _, LinkConfig, Visit, visit};
use adapter_gateway::pairing::{self, Listed};
use domain::fact::Control;
use domain::operation::OperationId;
use secrecy::SecretString;

use crate::real::{Gateway, KEY, SOON, START, own_device, patient};
use crate::support::{Linked, TestKey, link_as, until};

async fn come(gateway: &Gateway, device: &DeviceIdentity) -> Visit {
    let config = LinkConfig::new(gateway.url.parse().unwrap(), Trust::load(None).unwrap());
    let key = SecretString::from(KEY);
    visit(&config, device, Some(&key)).await.unwrap()
}

/// Comes as a device that is unknown, which leaves a request behind; its id.
async fn ask(gateway: &Gateway, device: &DeviceIdentity) -> String {
    match come(gateway, device).await {
        Visit::Unknown {
            request_id: Some(id),
        } => id,
        other => panic!("{other:?}"),
    }
}

fn linked(gateway: &Gateway, identities: &Identities) -> Linked {
    link_as(
        &gateway.url,
        patient(),
        TestKey::new(KEY),
        gateway.approver(),
        Arc::new(identities.clone()),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_is_paired_and_the_old_one_is_refused() {
    renewed("2026.9.6").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_gateway_does_the_same() {
    renewed("2026.3.31").await;
}

async fn renewed(version: &str) {
    let gateway = Gateway::start(version).await;
    let data = tempfile::tempdir().unwrap();
    let identities = DeviceFolder::new(data.path()).of(&"openclaw".parse().unwrap());
    let operation = OperationId(uuid::Uuid::from_u128(1));
    let approver = gateway.approver();
    let first = link_as(
        &gateway.url,
        patient(),
        TestKey::new(KEY),
        approver.clone(),
        Arc::new(identities.clone()),
    );
    let state = until(&first.link, START, |it| it.control == Control::Connected).await;
    assert!(pairing::offered(&state), "{:?}", state.methods);
    // Another process of the panel, with the same folder.
    let second = linked(&gateway, &identities);
    until(&second.link, SOON, |it| it.control == Control::Connected).await;
    let old = identities.present().unwrap();
    let paired = Listed {
        paired: true,
        requests: Vec::new(),
    };
    assert_eq!(pairing::find(&first.link, old.id()).await.unwrap(), paired);

    // A stranger asks and is turned down.
    let stranger = own_device();
    let request = ask(&gateway, &stranger).await;
    let listed = pairing::find(&first.link, stranger.id()).await.unwrap();
    assert_eq!(
        (listed.paired, &listed.requests),
        (false, &vec![request.clone()])
    );
    for _ in 0..2 {
        pairing::reject(&first.link, &request).await.unwrap();
        let listed = pairing::find(&first.link, stranger.id()).await.unwrap();
        assert_eq!(listed, Listed::default());
    }

    // The new one is approved, and known from then on.
    let new = identities.make(operation).unwrap();
    let request = ask(&gateway, &new).await;
    approver.approve(&request).await.unwrap();
    assert_eq!(come(&gateway, &new).await, Visit::Known);
    assert_eq!(pairing::find(&first.link, new.id()).await.unwrap(), paired);

    // Taken into use, it has the other one removed; who was connected as that comes back as the new one.
    identities.take_into_use(new.id()).unwrap();
    first.link.connect_as(new.id(), SOON).await.unwrap();
    assert_eq!(second.link.state().device.as_ref(), Some(old.id()));
    for _ in 0..2 {
        pairing::remove(&first.link, old.id()).await.unwrap();
        let listed = pairing::find(&first.link, old.id()).await.unwrap();
        assert_eq!(listed, Listed::default());
    }
    until(&second.link, SOON, |it| {
        it.device.as_ref() == Some(new.id())
    })
    .await;
    assert!(second.link.accounts().await.is_ok());

    // The old one is refused; what it has asked for is turned down.
    let kept = identities.find(old.id()).unwrap();
    let request = ask(&gateway, &kept).await;
    pairing::reject(&first.link, &request).await.unwrap();
    let listed = pairing::find(&first.link, old.id()).await.unwrap();
    assert_eq!(listed, Listed::default());
    assert!(first.link.accounts().await.is_ok());
    // The first device and the new one: nobody else was let in.
    assert_eq!(approver.asked.load(Ordering::SeqCst), 2);
}
