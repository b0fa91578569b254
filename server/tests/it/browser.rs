//! A browser of the simplest kind: one connection a request, and a cookie. It reads no further than the head of an answer, so
//! that a stream that goes on does not hold it up.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use crate::support::{Panel, Serving, said};

/// The panel's own origin, as its configuration says.
pub(crate) const ORIGIN: &str = "http://127.0.0.1:8700";

/// Whoever waits longer for an answer has found a defect.
const PATIENCE: Duration = Duration::from_secs(60);

/// A panel that serves.
pub(crate) struct House {
    pub(crate) panel: Panel,
    listen: SocketAddr,
    _serving: Serving,
}

/// The head of an answer.
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) location: String,
    /// The session's cookie, when it is set anew.
    pub(crate) cookie: Option<String>,
}

impl House {
    /// With people of these names and the arguments by which they are added; each has a one-time password.
    pub(crate) fn with(people: &[(&str, &[&str])]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = port.local_addr().unwrap();
        let panel = Panel::new(&format!(
            "listen = \"{listen}\"\n[sign_in]\nsecond_factor_for = []\n"
        ));
        for (name, roles) in people {
            let file = panel.folder.path().join(name);
            let file = file.to_str().unwrap();
            let mut arguments = vec!["user", "add", *name, "--one-time-password-file", file];
            arguments.extend(*roles);
            panel.done(&arguments);
        }
        drop(port);
        let serving = panel.serve();
        let up = Command::new("curl")
            .args(["--silent", "--output", "/dev/null", "--fail"])
            .args(["--retry", "60", "--retry-delay", "1", "--retry-connrefused"])
            .arg(format!("http://{listen}/healthz"))
            .status();
        assert!(up.unwrap().success(), "the panel does not serve");
        Self {
            panel,
            listen,
            _serving: serving,
        }
    }

    pub(crate) fn password(&self, name: &str) -> String {
        let file = self.panel.folder.path().join(name);
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }

    /// Signs in, maybe with a cookie that is there already; the cookie of the session.
    pub(crate) fn sign_in(&self, name: &str, cookie: Option<&str>) -> String {
        let form = format!("name={name}&password={}", self.password(name));
        let head = self.post("/sign-in", &form, cookie, &[("origin", ORIGIN)]);
        assert_eq!((head.status, head.location.as_str()), (303, "/"), "{name}");
        head.cookie.expect("a sign-in gives a cookie")
    }

    pub(crate) fn get(&self, path: &str, cookie: Option<&str>) -> Head {
        self.ask("GET", path, "", cookie, &[]).0
    }

    /// Status and text of a file.
    pub(crate) fn download(&self, path: &str, cookie: &str) -> (u16, String) {
        let answer = Command::new("curl")
            .args(["--silent", "--show-error", "--write-out", "\n%{http_code}"])
            .args(["--header", "host: 127.0.0.1:8700"])
            .args(["--header", &format!("cookie: {cookie}")])
            .arg(format!("http://{}{path}", self.listen))
            .output()
            .unwrap();
        assert!(answer.status.success(), "{}", said(&answer));
        let answer = String::from_utf8(answer.stdout).unwrap();
        let (text, status) = answer.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), text.to_owned())
    }

    /// A stream of events that has begun.
    pub(crate) fn follow(&self, path: &str, cookie: &str) -> Stream {
        let (head, rest) = self.ask("GET", path, "", Some(cookie), &[]);
        assert_eq!(head.status, 200, "{path}");
        Stream(rest)
    }

    pub(crate) fn post(
        &self,
        path: &str,
        form: &str,
        cookie: Option<&str>,
        more: &[(&str, &str)],
    ) -> Head {
        self.ask("POST", path, form, cookie, more).0
    }

    /// Status and body of what a form is answered with.
    pub(crate) fn answer(&self, path: &str, form: &str, cookie: Option<&str>) -> (u16, String) {
        let (head, rest) = self.ask("POST", path, form, cookie, &[("origin", ORIGIN)]);
        (head.status, Stream(rest).until_it_ends())
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        form: &str,
        cookie: Option<&str>,
        more: &[(&str, &str)],
    ) -> (Head, BufReader<TcpStream>) {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:8700\r\naccept: text/html\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
            form.len()
        );
        for &(name, value) in more {
            request.extend([name, ": ", value, "\r\n"]);
        }
        if let Some(cookie) = cookie {
            request.extend(["cookie: ", cookie, "\r\n"]);
        }
        let mut stream = TcpStream::connect(self.listen).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
            .write_all(format!("{request}\r\n{form}").as_bytes())
            .unwrap();
        read_head(BufReader::new(stream))
    }
}

/// A stream of events.
pub(crate) struct Stream(BufReader<TcpStream>);

impl Stream {
    /// Everything that it says until the panel ends it.
    pub(crate) fn until_it_ends(mut self) -> String {
        let mut said = Vec::new();
        self.0.read_to_end(&mut said).unwrap();
        String::from_utf8_lossy(&said).into_owned()
    }
}

fn read_head(mut from: BufReader<TcpStream>) -> (Head, BufReader<TcpStream>) {
    let line = |from: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        from.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let first = line(&mut from);
    let status = first.split(' ').nth(1).and_then(|word| word.parse().ok());
    let mut head = Head {
        status: status.unwrap_or_else(|| panic!("no answer: {first}")),
        location: String::new(),
        cookie: None,
    };
    loop {
        let line = line(&mut from);
        if line.is_empty() {
            return (head, from);
        }
        let Some((name, value)) = line.split_once(": ") else {
            panic!("no header: {line}");
        };
        match name {
            "location" => head.location = value.to_owned(),
            "set-cookie" if value.starts_with("panel=") => {
                head.cookie = value.split(';').next().map(str::to_owned);
            }
            _ => {}
        }
    }
}
