//! Temporary credentials and what renews them: a profile of the AWS CLI, a session of single sign-on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::aws::{AwsCredential, AwsCredentialProvider};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::words::innermost;

/// Returns credentials that are valid now, or an error message. Called on a thread of its own.
pub type Renew = dyn Fn() -> Result<AwsCredential, String> + Send + Sync;

/// Credentials are requested again after this time: only their provider knows when they expire.
const FRESH: Duration = Duration::from_secs(60);

/// Where credentials come from.
pub(super) enum Credentials {
    /// What `object_store` finds: options, environment, web identity, container, instance.
    Found(AwsCredentialProvider),
    /// The function that renews them.
    Renewed { renew: Arc<Renew>, held: Mutex<Option<(Instant, Arc<AwsCredential>)>> },
}

impl Credentials {
    pub(super) fn renewed(renew: Arc<Renew>) -> Self {
        Self::Renewed { renew, held: Mutex::default() }
    }

    /// The credentials that sign the next request.
    pub(super) async fn get(&self) -> Result<Arc<AwsCredential>, String> {
        match self {
            Self::Found(provider) => provider.get_credential().await.map_err(|error| innermost(&error)),
            Self::Renewed { renew, held } => {
                let mut held = held.lock().await;
                if let Some((since, credential)) = &*held
                    && since.elapsed() < FRESH
                {
                    return Ok(Arc::clone(credential));
                }
                let renew = Arc::clone(renew);
                let renewed = spawn_blocking(move || renew()).await.map_err(|error| error.to_string())??;
                let credential = Arc::new(renewed);
                *held = Some((Instant::now(), Arc::clone(&credential)));
                Ok(credential)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn they_are_asked_for_once_in_a_while() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let renew = move || match count.fetch_add(1, Ordering::Relaxed) {
            0 => Err("the session has ended".to_owned()),
            number => Ok(AwsCredential { key_id: number.to_string(), secret_key: String::new(), token: None }),
        };
        let credentials = Credentials::renewed(Arc::new(renew));
        assert_eq!(credentials.get().await.expect_err("none"), "the session has ended");
        for _ in 0..3 {
            assert_eq!(credentials.get().await.expect("some").key_id, "1");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}
