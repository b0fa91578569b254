//! Kinds of events as parts of a query: who, what, with which outcome and where. Each has its own list of numbers in
//! `audit_events_by_kind`.

use domain::audit::Filter;
use domain::audit::filter::{Acts, What};
use sqlx::{Postgres, QueryBuilder};

use super::read::Range;

/// What tells kinds apart.
const ALL: [&str; 4] = ["actor_key", "action", "outcome", "gateway_id"];

/// The columns for which the filter wants something.
pub(super) fn set(filter: &Filter) -> Vec<&'static str> {
    let wanted = [
        ("actor_key", filter.person.is_some()),
        ("action", filter.what.is_some()),
        ("outcome", filter.outcome.is_some()),
        ("gateway_id", filter.gateway.is_some()),
    ];
    let wanted = wanted.into_iter().filter(|(_, is_set)| *is_set);
    wanted.map(|(column, _)| column).collect()
}

pub(super) fn push_range(
    query: &mut QueryBuilder<'_, Postgres>,
    before: &str,
    table: &str,
    range: Range,
) {
    query.push(format!(" {before} {table}.sequence BETWEEN "));
    query
        .push_bind(range.low)
        .push(" AND ")
        .push_bind(range.high);
}

/// The kinds of events that the filter lets through.
fn push_kinds(query: &mut QueryBuilder<'_, Postgres>, filter: &Filter) {
    if let Some(key) = &filter.person {
        query.push(" AND actor_key = ").push_bind(key.clone());
    }
    if let Some(gateway) = &filter.gateway {
        query
            .push(" AND gateway_id = ")
            .push_bind(gateway.to_string());
    }
    if let Some(outcome) = filter.outcome {
        query.push(" AND outcome = ").push_bind(outcome.as_str());
    }
    let owned = |acts: &[&str]| acts.iter().map(|act| (*act).to_owned()).collect::<Vec<_>>();
    match &filter.what {
        None => {}
        Some(What::Act(act)) => {
            query.push(" AND action = ").push_bind(act.clone());
        }
        Some(What::Group(group)) => match group.acts() {
            Acts::Only(acts) => {
                query
                    .push(" AND action = ANY(")
                    .push_bind(owned(acts))
                    .push(")");
            }
            Acts::AllBut(acts) => {
                query
                    .push(" AND action <> ALL(")
                    .push_bind(owned(acts))
                    .push(")");
            }
        },
    }
}

/// Whether a kind of event belongs to a gateway: what is `NULL` is not equal to anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GatewayIs {
    Named,
    None,
}

/// The numbers of the events of one kind `k`.
fn push_list(
    query: &mut QueryBuilder<'_, Postgres>,
    columns: &[&str],
    gateway: GatewayIs,
    range: Range,
) {
    query.push("(SELECT x.sequence FROM audit_events AS x WHERE true");
    for column in columns {
        match (*column, gateway) {
            ("gateway_id", GatewayIs::None) => {
                query.push(" AND x.gateway_id IS NULL AND k.gateway_id IS NULL")
            }
            _ => query.push(format!(" AND x.{column} = k.{column}")),
        };
    }
    push_range(query, "AND", "x", range);
    query.push(format!(
        " ORDER BY x.sequence {} LIMIT ",
        range.direction.sql()
    ));
    query.push_bind(range.limit).push(")");
}

/// The numbers of the events of all kinds that the filter lets through; `columns` is what [`set`] says of it.
pub(super) fn push_lists(
    query: &mut QueryBuilder<'_, Postgres>,
    filter: &Filter,
    columns: &[&'static str],
    range: Range,
) {
    let columns: &[&str] = match columns {
        [one] => &[*one],
        _ => &ALL,
    };
    query
        .push("(SELECT DISTINCT ")
        .push(columns.join(", "))
        .push(" FROM audit_kinds WHERE true");
    push_kinds(query, filter);
    query.push(") AS k CROSS JOIN LATERAL (");
    push_list(query, columns, GatewayIs::Named, range);
    if columns.len() > 1 && filter.gateway.is_none() {
        query.push(" UNION ALL ");
        push_list(query, columns, GatewayIs::None, range);
    }
    query.push(")");
}
