//! A search for several terms one of which is rare. The index would go through every entry of the frequent ones, so the rare
//! one alone is looked up, and the events that hold it are looked at.

use domain::audit::filter::What;
use domain::audit::{AuditEvent, Filter};
use sqlx::QueryBuilder;

use super::read::Range;
use super::rows::{AuditRow, EVENT};
use super::words::{self, BUCKET_BITS, FUNCTION};
use crate::store::Store;

/// A term is rare when no more events than these hold it, among those that are searched at once.
const FEW: usize = 500;
/// Stands for the number of the bucket; no word holds it.
const BUCKET: &str = "\u{1}";

/// One thing that an event must hold: a letter for the column, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    kind: char,
    word: String,
}

impl Term {
    /// As it stands in a `tsquery`.
    pub(super) fn of(kind: char, word: &str) -> Self {
        Self {
            kind,
            word: word.chars().take(199).collect(),
        }
    }

    /// The same for the events of a bucket. Of a word its beginning is enough.
    pub(super) fn in_bucket(&self, bucket: &str) -> String {
        let word = self.word.replace('\\', "\\\\").replace('\'', "''");
        let beginning = if self.kind == 'w' { ":*" } else { "" };
        format!("'{bucket} {}{word}'{beginning}", self.kind)
    }
}

/// What an event must hold of each of these, words first: what people type is seldom as frequent as a column's values.
pub(super) fn terms(filter: &Filter, words: &[String]) -> Vec<Term> {
    let mut terms: Vec<Term> = words.iter().map(|word| Term::of('w', word)).collect();
    terms.extend(filter.person.as_ref().map(|key| Term::of('a', key)));
    let gateway = filter.gateway.as_ref();
    terms.extend(gateway.map(|id| Term::of('g', id.as_str())));
    let outcome = filter.outcome;
    terms.extend(outcome.map(|outcome| Term::of('o', outcome.as_str())));
    if let Some(What::Act(act)) = &filter.what {
        terms.push(Term::of('x', act));
    }
    terms
}

/// What a search has learnt about its terms.
pub(super) struct Rare {
    terms: Vec<Term>,
    known: Known,
}

enum Known {
    /// None of them has been looked up yet.
    Nothing,
    /// This one was rare.
    One(usize),
    /// None was.
    None,
}

impl Rare {
    pub(super) fn new(filter: &Filter, words: &[String]) -> Self {
        Self {
            terms: terms(filter, words),
            known: Known::Nothing,
        }
    }

    /// Which are worth a look.
    fn tried(&self) -> Vec<usize> {
        match self.known {
            // One term alone is looked up as well by the index itself.
            _ if self.terms.len() < 2 => Vec::new(),
            Known::Nothing => (0..self.terms.len()).collect(),
            Known::One(at) => vec![at],
            Known::None => Vec::new(),
        }
    }
}

impl Store {
    /// The events of a part of the trail by their rarest term; `None` when none is rare there.
    pub(super) async fn hits_by_rare(
        &self,
        filter: &Filter,
        words: &[String],
        part: Range,
        rare: &mut Rare,
    ) -> sqlx::Result<Option<Vec<AuditEvent>>> {
        for at in rare.tried() {
            let Some(term) = rare.terms.get(at) else {
                continue;
            };
            if let Some(numbers) = self.few(term, part).await? {
                rare.known = Known::One(at);
                return self.among(filter, words, part, &numbers).await.map(Some);
            }
        }
        if matches!(rare.known, Known::Nothing) {
            rare.known = Known::None;
        }
        Ok(None)
    }

    /// The numbers of the events that hold a term; `None` when they are many.
    async fn few(&self, term: &Term, part: Range) -> sqlx::Result<Option<Vec<i64>>> {
        let buckets = (part.low >> BUCKET_BITS)..=(part.high >> BUCKET_BITS);
        let wanted: Vec<String> = buckets
            .map(|bucket| term.in_bucket(&bucket.to_string()))
            .collect();
        // Planned without the limit, by the index: with it, the database would read event after event until it has so many.
        let mut query = QueryBuilder::new(format!(
            "WITH hits AS MATERIALIZED (SELECT sequence FROM audit_events WHERE {FUNCTION} @@ "
        ));
        query
            .push_bind(wanted.join(" | "))
            .push("::tsquery) SELECT sequence FROM hits LIMIT ")
            .push_bind(i64::try_from(FEW + 1).unwrap_or(i64::MAX));
        let numbers: Vec<i64> = query
            .build_query_scalar()
            .persistent(false)
            .fetch_all(&self.pool)
            .await?;
        Ok((numbers.len() <= FEW).then_some(numbers))
    }

    /// Those of them that hold all the terms.
    pub(super) async fn among(
        &self,
        filter: &Filter,
        words: &[String],
        part: Range,
        numbers: &[i64],
    ) -> sqlx::Result<Vec<AuditEvent>> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let order = part.direction.sql();
        let mut query = QueryBuilder::new(format!(
            "SELECT {EVENT} FROM audit_events AS e WHERE sequence = ANY("
        ));
        query.push_bind(numbers.to_vec());
        query.push(") AND sequence BETWEEN ");
        query.push_bind(part.low).push(" AND ").push_bind(part.high);
        // Another one for each event, and so nothing that the index could be asked.
        query.push(format!(" AND {FUNCTION} @@ replace("));
        query.push_bind(words::wanted(filter, words, BUCKET));
        query.push(", ").push_bind(BUCKET);
        query.push(format!(
            ", (sequence >> {BUCKET_BITS})::text)::tsquery ORDER BY sequence {order} LIMIT "
        ));
        query.push_bind(part.limit);
        let rows = query.build_query_as::<AuditRow>().persistent(false);
        let rows = rows.fetch_all(&self.pool).await?;
        rows.into_iter().map(AuditRow::read).collect()
    }
}
