//! A gateway that follows a script, one act for each connection, and can misbehave.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// What one connection gets to see.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// A well-behaved gateway.
    Good(Manner),
    /// Accepts TCP and says nothing.
    Mute,
    /// Opens the socket and says nothing.
    MuteSocket,
    /// Speaks HTTP but opens no socket.
    NoSocket,
    /// Random bytes instead of HTTP.
    Noise,
    /// A text that is no frame instead of the challenge.
    Garbage,
    /// Lets the panel in, then sends a text that is no frame.
    LateGarbage,
    /// Lets the panel in, then announces a frame of 100 bytes and sends ten of them.
    HalfFrame,
    /// Lets the panel in, then sends one message of so many bytes.
    Huge(usize),
    /// Lets the panel in, ticking every so often, then falls silent.
    FallsSilent(u64),
    /// Answers the connect with this error and closes, as the real one does.
    Refuse(Value),
    /// Lets the panel in and closes at once.
    CloseAfterHello,
    /// Closes at once.
    Close,
}

/// How a good gateway looks.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    pub(crate) protocol: u32,
    pub(crate) scopes: Option<Vec<&'static str>>,
    pub(crate) methods: Vec<&'static str>,
    /// Answers by method: `Ok` payloads or `Err` errors. Unknown methods are refused as the real one
    /// does; a null answer is never sent.
    pub(crate) answers: Vec<(&'static str, Result<Value, Value>)>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            protocol: 4,
            scopes: Some(vec!["operator.read", "operator.admin"]),
            methods: vec!["channels.status", "channels.start", "channels.stop"],
            answers: Vec::new(),
        }
    }
}

/// The server; ends with the test's runtime.
pub(crate) struct Scripted {
    pub(crate) url: String,
    acts: Arc<Mutex<VecDeque<Act>>>,
    /// The parameters of every `connect` seen.
    pub(crate) connects: Arc<Mutex<Vec<Value>>>,
}

impl Scripted {
    /// Plays the acts in turn, the last one again and again.
    pub(crate) async fn start(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let acts: Arc<Mutex<VecDeque<Act>>> = Arc::new(Mutex::new(acts.into_iter().collect()));
        let connects = Arc::new(Mutex::new(Vec::new()));
        let (play, seen) = (Arc::clone(&acts), Arc::clone(&connects));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let act = {
                    let mut acts = play.lock().unwrap();
                    if acts.len() > 1 {
                        acts.pop_front().unwrap()
                    } else {
                        acts[0].clone()
                    }
                };
                tokio::spawn(perform(act, stream, Arc::clone(&seen)));
            }
        });
        Self {
            url,
            acts,
            connects,
        }
    }

    /// From now on.
    pub(crate) fn play(&self, act: Act) {
        *self.acts.lock().unwrap() = VecDeque::from([act]);
    }
}

type Socket = WebSocketStream<TcpStream>;

async fn perform(act: Act, mut stream: TcpStream, seen: Arc<Mutex<Vec<Value>>>) {
    match act {
        Act::Close => return,
        Act::Mute => return hold().await,
        Act::Noise => {
            stream.write_all(&[0x16, 0xff, 0x00, 0x80, 0x0a]).await.ok();
            return hold().await;
        }
        Act::NoSocket => {
            let page = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(page).await.ok();
            return hold().await;
        }
        _ => {}
    }
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else {
        return;
    };
    match act {
        Act::MuteSocket => return hold().await,
        Act::Garbage => {
            socket.send(Message::text("<html>")).await.ok();
            return hold().await;
        }
        _ => {}
    }
    let challenge = json!({"type":"event","event":"connect.challenge",
        "payload":{"nonce":"00000000-0000-4000-8000-000000000000","ts":1_795_374_453_059_u64}});
    say(&mut socket, &challenge).await;
    let Some(request) = hear(&mut socket).await else {
        return;
    };
    seen.lock().unwrap().push(request["params"].clone());
    let id = request["id"].clone();
    if let Act::Refuse(error) = act {
        say(
            &mut socket,
            &json!({"type":"res","id":id,"ok":false,"error":error}),
        )
        .await;
        socket.close(None).await.ok();
        return;
    }
    let tick = match act {
        Act::FallsSilent(tick) => tick,
        _ => 30_000,
    };
    let manner = match &act {
        Act::Good(manner) => manner.clone(),
        _ => Manner::default(),
    };
    say(&mut socket, &hello(&id, &manner, tick)).await;
    match act {
        Act::Good(_) => serve(socket, &manner).await,
        Act::LateGarbage => {
            socket.send(Message::text("{\"type\":")).await.ok();
            hold().await;
        }
        Act::HalfFrame => {
            let raw = socket.get_mut();
            raw.write_all(b"\x81\x64{\"type\":\"").await.ok();
            raw.flush().await.ok();
            hold().await;
        }
        Act::Huge(bytes) => {
            socket.send(Message::text("x".repeat(bytes))).await.ok();
            hold().await;
        }
        Act::FallsSilent(tick) => {
            for _ in 0..3 {
                say(
                    &mut socket,
                    &json!({"type":"event","event":"tick","payload":{}}),
                )
                .await;
                tokio::time::sleep(Duration::from_millis(tick)).await;
            }
            hold().await;
        }
        _ => {
            socket.close(None).await.ok();
        }
    }
}

async fn hold() {
    tokio::time::sleep(Duration::from_secs(600)).await;
}

fn hello(id: &Value, manner: &Manner, tick: u64) -> Value {
    let mut payload = json!({
        "type": "hello-ok",
        "protocol": manner.protocol,
        "server": {"version": "2026.9.6-scripted", "connId": "c"},
        "features": {"methods": manner.methods, "events": []},
        "snapshot": {},
        "policy": {"tickIntervalMs": tick},
    });
    if let Some(scopes) = &manner.scopes {
        payload["auth"] = json!({"role": "operator", "scopes": scopes});
    }
    json!({"type": "res", "id": id, "ok": true, "payload": payload})
}

async fn serve(mut socket: Socket, manner: &Manner) {
    while let Some(request) = hear(&mut socket).await {
        let id = request["id"].clone();
        let method = request["method"].as_str().unwrap_or_default().to_owned();
        let answer = manner
            .answers
            .iter()
            .find(|(name, _)| *name == method)
            .map(|(_, answer)| answer.clone());
        let frame = match answer {
            Some(Ok(Value::Null)) => continue,
            Some(Ok(payload)) => json!({"type":"res","id":id,"ok":true,"payload":payload}),
            Some(Err(error)) => json!({"type":"res","id":id,"ok":false,"error":error}),
            None => json!({"type":"res","id":id,"ok":false,
                "error":{"code":"INVALID_REQUEST","message":format!("unknown method: {method}")}}),
        };
        say(&mut socket, &frame).await;
    }
}

async fn say(socket: &mut Socket, frame: &Value) {
    socket.send(Message::text(frame.to_string())).await.ok();
}

async fn hear(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.next().await?.ok()? {
            Message::Text(text) => return serde_json::from_str(&text).ok(),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}
