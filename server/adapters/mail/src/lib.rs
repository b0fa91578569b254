//! Mail: plain text over SMTP, by the server that the configuration names.
//!
//! The server's URL is what lettre reads: `smtps://user:password@mail.example.org` (TLS from the first byte),
//! `smtp://…:587?tls=required` (STARTTLS), or `smtp://127.0.0.1:25` for a server on this very host.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::ports::Mail;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::Error;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};

/// For the whole conversation with the server: a person waits for it.
const LIMIT: Duration = Duration::from_secs(20);

/// Why a mail server cannot be used; never with its password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadMailServer {
    /// It is no URL that names a mail server.
    #[error(
        "give smtps://USER:PASSWORD@HOST, smtp://USER:PASSWORD@HOST:587?tls=required, or smtp://127.0.0.1:25"
    )]
    Url,
    /// What is sent would be readable on the way: a link that opens a code, and the password.
    #[error(
        "add ?tls=required: without it, mail to another host goes over the network in the clear"
    )]
    InTheClear,
    /// The sender is no address.
    #[error("give an address, for example `OpenClaw Panel <panel@example.org>`")]
    Sender,
}

/// A mail server, and who the mail is from.
#[derive(Clone)]
pub struct SmtpMail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpMail {
    /// Connects nothing yet.
    ///
    /// # Errors
    /// What is wrong with the URL or the sender.
    pub fn new(server: &SecretString, from: &str) -> Result<Self, BadMailServer> {
        let from = from.parse().map_err(|_| BadMailServer::Sender)?;
        let server = server.expose_secret();
        if !is_private(server) {
            return Err(BadMailServer::InTheClear);
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(server)
            .map_err(|_| BadMailServer::Url)?
            .timeout(Some(LIMIT))
            .build();
        Ok(Self { transport, from })
    }
}

/// Whether nobody on the way reads along: TLS, or a server on this host.
fn is_private(server: &str) -> bool {
    let Some(rest) = server.strip_prefix("smtp://") else {
        return true;
    };
    if server.contains("tls=required") {
        return true;
    }
    let place = rest.split(['/', '?']).next().unwrap_or_default();
    let host = place.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Lettre's own would print the password.
impl core::fmt::Debug for SmtpMail {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SmtpMail")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Mail for SmtpMail {
    async fn send(&self, to: &str, subject: &str, text: &str) -> Result<(), Fault> {
        let to: Address = to.trim().parse().map_err(|_| {
            let why = "That is no mail address. It looks like anna@example.org.";
            Fault::new(FaultKind::Invalid, Boundary::Panel, why)
        })?;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(text.to_owned())
            .map_err(|error| {
                let why = format!("The mail could not be written: {error}.");
                Fault::new(FaultKind::Unexpected, Boundary::Panel, why)
            })?;
        let sending = self.transport.send(message);
        match tokio::time::timeout(LIMIT, sending).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(refusal(&error)),
            Err(_) => Err(unreachable("did not answer in time")),
        }
    }
}

/// The server's code is for people; its words may repeat what it was told.
fn refusal(error: &Error) -> Fault {
    let Some(code) = error.status() else {
        return unreachable("cannot be reached, or does not prove who it is");
    };
    let (kind, why) = match u16::from(code) {
        535 | 534 | 530 => (
            FaultKind::Refused,
            "The mail server does not accept the panel's name and password. An admin looks at mail_server_file."
                .to_owned(),
        ),
        code if error.is_transient() => (
            FaultKind::Refused,
            format!("The mail server does not take the mail just now (code {code}). Try again in some minutes."),
        ),
        code => (
            FaultKind::Refused,
            format!("The mail server refuses this mail (code {code}). Look at the address."),
        ),
    };
    Fault::new(kind, Boundary::Panel, why)
}

fn unreachable(what: &str) -> Fault {
    let why = format!("The mail server {what}. Nothing was sent; the link itself is good.");
    Fault::new(FaultKind::Unreachable, Boundary::Panel, why)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    use super::*;

    const FROM: &str = "OpenClaw Panel <panel@example.org>";

    /// A server that answers each command with what is scripted for it, else with 250; what it was told.
    async fn server(
        script: &'static [(&'static str, &'static str)],
    ) -> (SmtpMail, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            let (read, mut write) = socket.into_split();
            let mut lines = BufReader::new(read).lines();
            let mut told = String::new();
            let mut in_data = false;
            write.write_all(b"220 test\r\n").await.unwrap();
            while let Ok(Some(line)) = lines.next_line().await {
                told.push_str(&line);
                told.push('\n');
                if in_data && line != "." {
                    continue;
                }
                in_data = line == "DATA";
                let scripted = script.iter().find(|(command, _)| line.starts_with(command));
                let answer = match scripted {
                    Some((_, answer)) => answer,
                    None if in_data => "354 go on",
                    None => "250 fine",
                };
                in_data &= answer.starts_with("354");
                if write
                    .write_all(format!("{answer}\r\n").as_bytes())
                    .await
                    .is_err()
                {
                    break;
                }
            }
            told
        });
        let url = SecretString::from(format!("smtp://127.0.0.1:{port}"));
        (SmtpMail::new(&url, FROM).unwrap(), told)
    }

    #[tokio::test]
    async fn a_mail_reaches_the_server_whole() {
        let (mail, told) = server(&[]).await;
        mail.send("otto@example.org", "Please link", "https://panel.example/x")
            .await
            .unwrap();
        drop(mail);
        let told = told.await.unwrap();
        for said in [
            "MAIL FROM:<panel@example.org>",
            "RCPT TO:<otto@example.org>",
            "Subject: Please link",
            "https://panel.example/x",
        ] {
            assert!(told.contains(said), "{said}: {told}");
        }
    }

    #[tokio::test]
    async fn refusals_are_sentences_without_the_servers_words() {
        let (mail, _told) = server(&[("RCPT", "550 no such otto@example.org secret")]).await;
        let fault = mail.send("otto@example.org", "x", "y").await.unwrap_err();
        assert!(fault.message.contains("code 550"), "{fault}");
        assert!(!fault.message.contains("secret"), "{fault}");
        let (mail, _told) = server(&[("MAIL", "451 try again later")]).await;
        let fault = mail.send("otto@example.org", "x", "y").await.unwrap_err();
        assert!(fault.message.contains("Try again"), "{fault}");
    }

    #[tokio::test]
    async fn what_is_no_address_goes_nowhere() {
        let url = SecretString::from("smtp://127.0.0.1:1");
        let mail = SmtpMail::new(&url, FROM).unwrap();
        for to in [
            "",
            "otto",
            "otto@example.org\r\nBcc: all@example.org",
            "a b@c",
        ] {
            let fault = mail.send(to, "x", "y").await.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Invalid, "{to}");
        }
        let fault = mail.send("otto@example.org", "x", "y").await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Unreachable);
    }

    #[test]
    fn nothing_goes_to_another_host_in_the_clear() {
        let bad = |url: &str| SmtpMail::new(&SecretString::from(url), FROM).err();
        for url in [
            "smtp://mail.example.org",
            "smtp://u:p@10.0.0.1:25",
            "smtp://127.0.0.1@mail.example.org",
        ] {
            assert_eq!(bad(url), Some(BadMailServer::InTheClear), "{url}");
        }
        for url in [
            "smtps://u:p@mail.example.org",
            "smtp://u:p@mail.example.org:587?tls=required",
            "smtp://localhost",
            "smtp://[::1]:25",
        ] {
            assert_eq!(bad(url), None, "{url}");
        }
        assert_eq!(bad("mail.example.org"), Some(BadMailServer::Url));
        let sender = SmtpMail::new(&SecretString::from("smtps://mail.example.org"), "nobody");
        assert_eq!(sender.err(), Some(BadMailServer::Sender));
    }
}
