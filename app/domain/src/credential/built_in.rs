//! The credentials that the panel knows by itself: what they are called, where they are, how they are changed. What is
//! said here is where the register begins; people may change owner, interval and procedure of each.

use super::Kind;
use super::entry::Terms;
use crate::gateway::GatewayId;

/// A credential that the panel knows by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BuiltIn {
    /// What it is; never [`Kind::Other`].
    pub kind: Kind,
    /// Of which gateway; `None` for what belongs to no gateway.
    pub gateway: Option<GatewayId>,
}

impl BuiltIn {
    /// What the register says of it at first.
    pub fn terms(&self) -> Terms {
        let (title, place, interval_days, procedure) = of(self.kind);
        Terms {
            title: title.to_owned(),
            place: place.to_owned(),
            owner: String::new(),
            interval_days,
            procedure: procedure.to_owned(),
        }
    }
}

impl Kind {
    /// Whether it ends at a date of its own.
    pub const fn ends_by_itself(self) -> bool {
        matches!(self, Self::TlsCertificate)
    }

    /// Whether it belongs to one gateway.
    pub const fn is_of_a_gateway(self) -> bool {
        matches!(
            self,
            Self::GatewayKey | Self::WhatsappSession | Self::PanelDevice | Self::TlsCertificate
        )
    }

    /// Whether the register may stop listing it. The others are there whether or not anybody looks.
    pub const fn may_be_retired(self) -> bool {
        matches!(self, Self::Other | Self::GithubToken)
    }

    /// Whether people choose its title and place.
    pub const fn is_named_by_people(self) -> bool {
        matches!(self, Self::Other)
    }
}

const fn of(kind: Kind) -> (&'static str, &'static str, Option<u16>, &'static str) {
    match kind {
        Kind::GatewayKey => (
            "OpenClaw API key",
            "OPENCLAW_API_KEY in the gateway's .env, the GitHub secret of that name, and everything that calls the gateway",
            Some(180),
            "The panel rotates it: use the button. It makes the new key, recreates the gateway, proves that the new key \
             works and the old one does not, and leads through the rest.\n\n\
             By hand, when the panel cannot:\n\n\
             1. Make a new key on the host, and put it into the gateway's `.env` with an editor: never on a command line\n\
             2. Recreate the gateway from the panel: a restart does not read `.env`\n\
             3. Set the GitHub secret `OPENCLAW_API_KEY`\n\
             4. Put the key into the `.env.local` of the workstation\n\
             5. Change everything else that calls the gateway\n\
             6. Ask the gateway with the old key: it must refuse",
        ),
        Kind::WhatsappSession => (
            "WhatsApp sessions",
            "the gateway's state volume, one folder an account",
            None,
            "No date: a session is renewed when its phone logs it out, when the phone changes hands, or when somebody may \
             have copied it.\n\n\
             1. Link the account anew from the accounts page, with the phone at hand\n\
             2. On the phone, under Linked devices, look that no other device is listed that nobody knows\n\
             3. Make a backup: the ones from before hold the old session",
        ),
        Kind::PanelDevice => (
            "Device identity of the panel",
            "the folder devices in the panel's data folder, and the gateway's list of paired devices",
            None,
            "No date: it is changed when somebody may have copied the panel's data folder. The panel does it: use the button. \
             It pairs a new identity with the gateway, proves it, takes it into use, and removes the old one.\n\n\
             By hand, when the panel cannot:\n\n\
             1. Stop the panel\n\
             2. In its data folder, move the gateway's folder in `devices` aside\n\
             3. Start the panel: it makes a new identity and pairs it with the gateway\n\
             4. Remove the old device from the gateway's list: `openclaw devices list`, then `openclaw devices remove`\n\
             5. Delete the folder that was moved aside",
        ),
        Kind::GithubToken => (
            "GitHub token",
            "the file that the panel's configuration names, or its environment",
            Some(90),
            "1. On GitHub, make a fine-grained token for the one repository, with `Secrets: read and write` and nothing else\n\
             2. Put it into the file that the panel's configuration names; the file is 0600\n\
             3. Restart the panel\n\
             4. On GitHub, delete the old token",
        ),
        Kind::DatabasePassword => (
            "Password of the panel's database",
            "the file that database_url_file names, or DATABASE_URL of the panel's service",
            Some(365),
            "1. In a `psql` session, `\\password` for the panel's role: it does not end up in a log or a history\n\
             2. Put the new URL into the file that `database_url_file` names; the file is 0600\n\
             3. Restart the panel, and look that it is up",
        ),
        Kind::BackupKey => (
            "Key that opens backups",
            "with whoever keeps it; its public half is in the panel's data folder or configuration",
            None,
            "No date: it is changed when somebody left who had it, or when it may have been seen. What was kept before \
             still needs the old key.\n\n\
             1. On the panel's host: `panel backup key --replace --identity-file KEY`\n\
             2. Put the new key where passwords are kept\n\
             3. Make a backup, and open it with the new key\n\
             4. Keep the old key until the last backup made with it is gone, unless it was seen: then delete those backups",
        ),
        Kind::TlsCertificate => (
            "TLS certificate of the public URL",
            "the proxy before the gateway",
            None,
            "The proxy renews it by itself when a third of its life is left. When it does not:\n\n\
             1. Read the proxy's log: `journalctl -u caddy`\n\
             2. Look that the name resolves to this host, and that ports 80 and 443 reach it\n\
             3. Reload the proxy, and look at the edge on the gateway's page",
        ),
        Kind::Other => ("", "", None, ""),
    }
}
