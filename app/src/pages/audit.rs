//! The audit trail as sentences, newest first, and whether it is whole.

mod chain;

use domain::action::Action;
use domain::audit::{AuditEvent, AuditOutcome, act};
use domain::path;
use domain::person::Actor;
use domain::time::Timestamp;
use leptos::prelude::*;

use super::operations::pager;
use super::{Asked, Page};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::ui::moment;
use crate::ui::said::capital;

/// How many fit on a page.
const SHOWN: u32 = 50;

pub(crate) async fn page(call: &Call, asked: &Asked) -> Result<Page, PanelError> {
    call.permit(Action::ViewAudit, None).await?;
    let before = asked.get("before").parse().ok();
    let listed = call.panel().audit.list(before, SHOWN + 1).await;
    let mut listed = listed.or_say(|| call.error_id())?;
    let more = listed.len() > SHOWN as usize;
    listed.truncate(SHOWN as usize);
    let standing = call.panel().chain.standing().await;
    let standing = standing.or_say(|| call.error_id())?;
    let now = call.now();
    let chain = chain::line(&standing, asked, now);
    let older = listed.last().filter(|_| more);
    let older = older.map(|last| format!("{}?before={}", path::AUDIT, last.sequence));
    let newest = before.is_some().then(|| path::AUDIT.to_owned());
    let body = if listed.is_empty() {
        view! {
            <div class="card empty"><h2>"Nothing was recorded yet"</h2><p>"Sign-ins and every act are listed here."</p></div>
        }
        .into_any()
    } else {
        let rows: Vec<_> = listed.iter().map(|event| row(event, now)).collect();
        view! { <ol class="card rows" role="list">{rows}</ol> }.into_any()
    };
    let content = view! {
        <div class="crumb"><h1>"Audit"</h1><p class="live">"newest first"</p></div>
        {chain}
        {body}
        {pager(newest, older)}
    }
    .to_html();
    Ok(Page::new("Audit", moment::fill(&content, now)).at("audit"))
}

fn row(event: &AuditEvent, now: Timestamp) -> impl IntoView + use<> {
    let what = &event.event;
    let (class, word) = match what.outcome {
        AuditOutcome::Requested => ("chip is-now", "asked for"),
        AuditOutcome::Succeeded => ("chip is-done", "done"),
        AuditOutcome::Failed => ("chip is-failed", "failed"),
        AuditOutcome::Denied => ("chip is-warn", "denied"),
        AuditOutcome::Undone => ("chip is-undone", "put back"),
    };
    let from = match &what.actor {
        Actor::Person {
            address, browser, ..
        } => {
            let known = [address.as_deref(), browser.as_deref()]
                .into_iter()
                .flatten();
            known.fold(String::new(), |from, part| from + " · " + part)
        }
        Actor::Nobody { address } => address
            .as_ref()
            .map_or(String::new(), |address| format!(" · {address}")),
        Actor::CommandLine { .. } => " · on the host's command line".to_owned(),
        Actor::Panel => String::new(),
    };
    let reason = what.reason.as_ref().map(|reason| format!(" · “{reason}”"));
    let note = what.note.as_ref().map(|note| format!(" · {note}"));
    let said = sentence(event);
    let title = match what.operation {
        Some(id) => view! { <a class="go" href=path::operation(&id)>{said}</a> }.into_any(),
        None => view! { <b>{said}</b> }.into_any(),
    };
    view! {
        <li>
            {title}
            <small>{moment::clock(event.at, now)}{from}{reason}{note}</small>
            <div class="end"><span class=class>{word}</span></div>
        </li>
    }
}

/// `Anna: restart of openclaw`.
fn sentence(event: &AuditEvent) -> String {
    let what = &event.event;
    let who = capital(what.actor.name());
    let target = what
        .target
        .as_ref()
        .map_or(String::new(), |target| format!(" {target}"));
    let act = match what.action.as_str() {
        act::SIGN_IN => "sign-in as",
        act::SIGN_OUT => "sign-out",
        act::CHANGE_PASSWORD => "changed the password of",
        act::ADD_PERSON => "added",
        act::DISABLE_PERSON => "kept out",
        act::ENABLE_PERSON => "let in again",
        act::RESET_PASSWORD => "ended the password of",
        act::MAKE_SET_UP_LINK => "made the link for the first admin",
        act::ACCEPT_INVITATION => "chose the password of",
        act::CHANGE_ROLE => "changed the role of",
        act::NEW_DEVICE => "signed in with a new browser as",
        act::END_SESSIONS => "ended sessions of",
        act::CONFIRM_IDENTITY => "confirmed to be",
        act::SET_UP_SECOND_FACTOR => "set up the second factor of",
        act::REMOVE_SECOND_FACTOR => "removed the second factor of",
        act::RENEW_RECOVERY_CODES => "made new recovery codes of",
        act::SKIP_STEP => "asked to skip",
        act::DOWNLOAD_LOGS => "download of the log",
        act::DOWNLOAD_BACKUP => "download of the backup",
        act::MAKE_BACKUP_KEY => "made the key for backups",
        act::CANCEL_OPERATION => "asked an operation to stop and put back",
        act::ABANDON_OPERATION => "freed the gateway of a stuck operation",
        act::PAIR_DEVICE => "paired the panel's own device",
        act::UNPAIR_DEVICE => "removed the panel's own device",
        act::VIEW_CODE => "was shown the code that links",
        act::ADD_CREDENTIAL => "added to the register:",
        act::CHANGE_CREDENTIAL => "changed what the register says of",
        act::RETIRE_CREDENTIAL => "took out of the register:",
        act::SNOOZE_CREDENTIAL => "snoozed",
        act::NOTE_ROTATION => "noted the rotation of",
        act::REMIND => "sent word that it is due:",
        act::EXPORT_AUDIT => "exported the audit trail",
        act::VERIFY_AUDIT => "checked the chain of the audit trail",
        act::MAKE_CALENDAR_LINK => "made a secret link to the calendar of credentials",
        act::REMOVE_CALENDAR_LINK => "took back the secret link to the calendar of credentials",
        act::ASK_SECOND => "asked for a second person:",
        act::APPROVE => "agreed to:",
        act::DECLINE => "did not agree to:",
        act::WITHDRAW => "took back:",
        // Operations go by their own names, which are words.
        other => other,
    };
    let act = match what.outcome {
        AuditOutcome::Denied => wanted(&what.action).unwrap_or(act),
        _ => act,
    };
    let act = act.trim_end_matches(if target.is_empty() { " as" } else { "" });
    let gateway = what
        .gateway
        .as_ref()
        .map_or(String::new(), |gateway| format!(" on {gateway}"));
    format!("{who}: {act}{target}{gateway}")
}

/// What somebody wanted who was not let; what is done or asked for in one word needs no other.
fn wanted(action: &str) -> Option<&'static str> {
    let action = Action::ALL.into_iter().find(|one| one.as_str() == action)?;
    Some(match action {
        Action::ViewGateway => "wanted to look at the gateway",
        Action::ViewPhoneNumbers => "wanted to see whole phone numbers",
        Action::ViewLogs => "wanted to read the log",
        Action::ViewAudit => "wanted to read the audit trail",
        Action::VerifyAudit => "wanted to check the chain of the audit trail",
        Action::ViewPeople => "wanted to look at the people",
        Action::ManagePeople => "wanted to change who may sign in, or as what",
        Action::ViewCredentials => "wanted to look at the credentials",
        Action::ManageCredentials => "wanted to change the register of credentials",
        Action::RetireCredential => "wanted to take out of the register",
        Action::ViewCode => "wanted to see the code that links",
        Action::CancelOperation => "wanted to stop an operation",
        Action::AbandonOperation => "wanted to free the gateway of a stuck operation",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use domain::audit::NewAuditEvent;
    use uuid::Uuid;

    use super::*;

    fn said(action: &str, target: Option<&str>, outcome: AuditOutcome) -> String {
        sentence(&AuditEvent {
            sequence: 1,
            id: Uuid::nil(),
            at: Timestamp::from_millis(0),
            event: NewAuditEvent {
                gateway: "openclaw".parse().ok(),
                target: target.map(str::to_owned),
                ..NewAuditEvent::new(Actor::Panel, action, outcome)
            },
        })
    }

    #[test]
    fn every_act_is_a_sentence_and_a_denial_one_of_its_own() {
        let done = AuditOutcome::Succeeded;
        for (action, target, outcome, sentence) in [
            (
                act::PAIR_DEVICE,
                None,
                done,
                "paired the panel's own device",
            ),
            (
                act::VIEW_CODE,
                Some("default"),
                done,
                "was shown the code that links default",
            ),
            (
                act::VIEW_CODE,
                None,
                AuditOutcome::Denied,
                "wanted to see the code that links",
            ),
            (
                "view-people",
                None,
                AuditOutcome::Denied,
                "wanted to look at the people",
            ),
            ("restart", None, AuditOutcome::Denied, "restart"),
        ] {
            let said = said(action, target, outcome);
            assert!(
                said.ends_with(&format!(": {sentence} on openclaw")),
                "{said}"
            );
        }
    }

    #[test]
    fn no_act_of_the_vocabulary_is_shown_by_its_raw_name() {
        for action in [
            act::CANCEL_OPERATION,
            act::ABANDON_OPERATION,
            act::PAIR_DEVICE,
            act::UNPAIR_DEVICE,
            act::DOWNLOAD_LOGS,
            act::DOWNLOAD_BACKUP,
            act::MAKE_BACKUP_KEY,
            act::VIEW_CODE,
            act::ADD_CREDENTIAL,
            act::CHANGE_CREDENTIAL,
            act::RETIRE_CREDENTIAL,
            act::SNOOZE_CREDENTIAL,
            act::NOTE_ROTATION,
            act::REMIND,
            act::EXPORT_AUDIT,
            act::VERIFY_AUDIT,
            act::MAKE_CALENDAR_LINK,
            act::REMOVE_CALENDAR_LINK,
            act::ASK_SECOND,
            act::APPROVE,
            act::DECLINE,
            act::WITHDRAW,
        ] {
            let said = said(action, None, AuditOutcome::Succeeded);
            assert!(!said.contains(action), "{said}");
        }
    }
}
