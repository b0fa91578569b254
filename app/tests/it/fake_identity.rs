//! An identity provider, as pages see it.

use async_trait::async_trait;
use domain::can::Permit;
use domain::identity::{Answer, Asked, Claims, Purpose, Refusal, Subject};
use domain::person::{Actor, Person, Role};
use domain::ports::{
    ByProvider, Errand, Identities, IdentityProvider, PeopleError, Proofs, Proved,
    ProviderConfirms, ProviderError, StoreError, Whence,
};
use domain::time::Timestamp;
use uuid::Uuid;

use crate::fakes::Fake;

/// One that is away.
pub(crate) struct FakeProvider(pub(crate) &'static str);

fn away() -> ProviderError {
    ProviderError {
        refusal: Refusal::Away,
        detail: "away".to_owned(),
    }
}

#[async_trait]
impl IdentityProvider for FakeProvider {
    fn name(&self) -> &str {
        self.0
    }
    fn role(&self, _: &[String]) -> Option<Role> {
        None
    }
    async fn begin(&self, _: Purpose) -> Result<Errand, ProviderError> {
        Err(away())
    }
    async fn finish(&self, _: &Asked, _: Answer) -> Result<Claims, ProviderError> {
        Err(away())
    }
}

#[async_trait]
impl Identities for Fake {
    async fn count(&self, _: Option<&str>) -> Result<Option<Timestamp>, StoreError> {
        self.0.store(None)
    }
    async fn refuse(&self, _: &str, _: Refusal, _: Whence) -> Result<(), StoreError> {
        self.0.store(())
    }
    async fn sign_in(&self, _: Proved, _: Whence) -> Result<ByProvider, StoreError> {
        self.0.store(ByProvider::Not(Refusal::NoGroup))
    }
    async fn confirm(&self, _: &Actor, _: Proved) -> Result<ProviderConfirms, PeopleError> {
        Ok(ProviderConfirms::Not(Refusal::SomebodyElse))
    }
    async fn of(&self, _: Uuid) -> Result<Proofs, StoreError> {
        self.0.store(self.0.proofs.clone())
    }
    async fn all(&self) -> Result<Vec<(Uuid, Subject)>, StoreError> {
        // All of them are anna's, and ben's.
        let all = [1, 2].map(Uuid::from_u128).into_iter();
        let all = all.flat_map(|id| {
            self.0
                .proofs
                .subjects
                .iter()
                .map(move |one| (id, one.clone()))
        });
        self.0.store(all.collect())
    }
    async fn connect(&self, _: Permit, _: Uuid, _: Subject) -> Result<Person, PeopleError> {
        Err(PeopleError::NotPermitted)
    }
    async fn disconnect(&self, _: Permit, person: Uuid) -> Result<(), PeopleError> {
        self.0.note(format!("{person} disconnected"));
        Ok(())
    }
}
