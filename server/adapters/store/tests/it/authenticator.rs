//! A device with passkeys in software: makes keys and answers questions as WebAuthn Level 3 says.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::passkey::{Answer, Question};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// The panel's address, and the host of it.
pub(crate) const ORIGIN: &str = "https://panel.example.org";
const HOST: &str = "panel.example.org";

/// Somebody is there.
const PRESENT: u8 = 0x01;
/// It is the owner.
const VERIFIED: u8 = 0x04;
/// A key comes along.
const WITH_KEY: u8 = 0x40;

/// One passkey in its device.
#[derive(Clone)]
pub(crate) struct Device {
    key: SigningKey,
    id: [u8; 16],
    owner: Vec<u8>,
    pub(crate) counter: u32,
    /// Whether it asks for a finger before it answers.
    pub(crate) verifies: bool,
    /// Which page it believes to be on.
    pub(crate) origin: &'static str,
}

impl Device {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            key: SigningKey::from_bytes(&[seed; 32].into()).unwrap(),
            id: [seed; 16],
            owner: Vec::new(),
            counter: 0,
            verifies: true,
            origin: ORIGIN,
        }
    }

    /// Makes its key.
    pub(crate) fn make(&mut self, question: &Question) -> Answer {
        self.owner = bytes(&question.options["user"]["id"]);
        let mut data = self.data(WITH_KEY);
        data.extend([0; 16]);
        data.extend([0, 16]);
        data.extend(self.id);
        data.extend(self.public_key());
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt");
        object.extend([0x64]);
        object.extend(b"none");
        object.extend([0x67]);
        object.extend(b"attStmt");
        object.extend([0xa0, 0x68]);
        object.extend(b"authData");
        object.extend([0x58, u8::try_from(data.len()).unwrap()]);
        object.extend(data);
        let client = self.client("webauthn.create", question);
        self.answer(
            question,
            &json!({ "attestationObject": text(&object), "clientDataJSON": text(&client) }),
        )
    }

    /// Answers with its key.
    pub(crate) fn sign(&mut self, question: &Question) -> Answer {
        self.counter += 1;
        let data = self.data(0);
        let client = self.client("webauthn.get", question);
        let signed = [data.as_slice(), &Sha256::digest(&client)].concat();
        let signature: Signature = self.key.sign(&signed);
        self.answer(
            question,
            &json!({
                "authenticatorData": text(&data),
                "clientDataJSON": text(&client),
                "signature": text(signature.to_der().as_bytes()),
                "userHandle": text(&self.owner),
            }),
        )
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let verified = if self.verifies { VERIFIED } else { 0 };
        let mut data = Sha256::digest(HOST).to_vec();
        data.push(PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn client(&self, kind: &str, question: &Question) -> Vec<u8> {
        let challenge = &question.options["challenge"];
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    /// As COSE writes it (RFC 9053): {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
    fn public_key(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = (point.x().unwrap(), point.y().unwrap());
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        key.extend(x);
        key.extend([0x22, 0x58, 0x20]);
        key.extend(y);
        key
    }

    fn answer(&self, question: &Question, response: &serde_json::Value) -> Answer {
        let id = text(&self.id);
        let credential = json!({
            "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {},
        });
        Answer {
            ceremony: question.ceremony.clone(),
            credential: credential.to_string(),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn bytes(value: &serde_json::Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}
