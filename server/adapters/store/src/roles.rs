//! Two roles: one owns the tables and brings them up to date, and the panel itself works as another one, which can add
//! to the audit trail and never change it.

use sqlx::{Connection as _, Executor as _, PgConnection};

/// What is only ever added to.
const APPEND_ONLY: &str = "audit_events, audit_checkpoints, audit_checks, audit_kinds, reviews, review_stretches, \
                           review_answers";

/// Gives `role` what the panel needs, and takes from it what it must not have. Tables of later migrations are given by
/// themselves; one that is only to be added to has its place in [`APPEND_ONLY`].
pub(crate) async fn grant(owner: &mut PgConnection, role: &str) -> sqlx::Result<()> {
    if has_all(owner, role).await? {
        return Ok(());
    }
    let mut tx = owner.begin().await?;
    // Two panels that start at the same moment would change the same rows of the catalogue.
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('panel roles', 0))")
        .execute(&mut *tx)
        .await?;
    let role = quoted(role);
    tx.execute(
        format!(
            "GRANT USAGE ON SCHEMA public TO {role};
             REVOKE CREATE ON SCHEMA public FROM {role};
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
             GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
             GRANT EXECUTE ON FUNCTION lock_audit_head() TO {role};
             ALTER DEFAULT PRIVILEGES IN SCHEMA public
                 GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
             ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role};
             REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON {APPEND_ONLY} FROM {role};
             REVOKE ALL ON audit_head, audit_archives, _sqlx_migrations FROM {role};
             GRANT SELECT ON audit_head, audit_archives, _sqlx_migrations TO {role}"
        )
        .as_str(),
    )
    .await?;
    tx.commit().await
}

/// Whether there is nothing to give and nothing to take: so that a start does not write to the catalogue each time.
async fn has_all(owner: &mut PgConnection, role: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT bool_and(CASE
               WHEN relname IN ('audit_head', 'audit_archives', '_sqlx_migrations')
                   THEN has_table_privilege($1::text::name, oid, 'SELECT')
                        AND NOT has_table_privilege($1::text::name, oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
               WHEN relname IN ('audit_events', 'audit_checkpoints', 'audit_checks', 'audit_kinds', 'reviews',
                                'review_stretches', 'review_answers')
                   THEN has_table_privilege($1::text::name, oid, 'SELECT') AND has_table_privilege($1::text::name, oid, 'INSERT')
                        AND NOT has_table_privilege($1::text::name, oid, 'UPDATE, DELETE, TRUNCATE')
               ELSE has_table_privilege($1::text::name, oid, 'SELECT') AND has_table_privilege($1::text::name, oid, 'INSERT')
                    AND has_table_privilege($1::text::name, oid, 'UPDATE') AND has_table_privilege($1::text::name, oid, 'DELETE')
           END) AND has_function_privilege($1::text::name, 'lock_audit_head()', 'EXECUTE') AS "all!"
           FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"#,
        role,
    )
    .fetch_one(owner)
    .await
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
