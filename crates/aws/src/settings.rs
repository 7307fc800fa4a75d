//! What a collection can be told.

use std::sync::Arc;
use std::time::Duration;

use model::Region;
use tokio::sync::watch;

use crate::environment::Environment;

/// Asks the user for the code of an MFA device, given the device's serial number; the error says why there is none.
pub type MfaPrompt = Arc<dyn Fn(&str) -> Result<String, String> + Send + Sync>;

/// How to collect.
#[derive(Clone, Default)]
pub struct Config {
    /// The process environment: credentials, Region, endpoints, proxies.
    pub environment: Environment,
    /// The profile of the shared configuration files, if not `AWS_PROFILE`'s.
    pub profile: Option<String>,
    /// The Regions to collect; every enabled one if empty.
    pub regions: Vec<Region>,
    /// A role to assume first.
    pub role_arn: Option<String>,
    /// The external id that the role asks for.
    pub external_id: Option<String>,
    /// The MFA device that the role asks for.
    pub mfa_serial: Option<String>,
    /// The name of a role in every account of the organisation: collects them all.
    pub org_role: Option<String>,
    /// How to ask for an MFA code; without it a profile that needs one is an error.
    pub mfa: Option<MfaPrompt>,
    /// The limits.
    pub limits: Limits,
    /// Stops the collection; what was collected until then is kept.
    pub cancel: Cancel,
}

/// The limits of a collection.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// How long a connection may take.
    pub connect: Duration,
    /// How long one request may take with its answer.
    pub request: Duration,
    /// The shortest wait before another try.
    pub wait_min: Duration,
    /// The longest wait before another try.
    pub wait_max: Duration,
    /// How often a failing call is tried.
    pub tries_max: u32,
    /// How often a throttled call is tried.
    pub throttled_tries_max: u32,
    /// The longest body of an answer.
    pub body_bytes_max: usize,
    /// The most pages of one listing.
    pub pages_max: usize,
    /// The most items of one listing.
    pub items_max: usize,
    /// How many requests are under way at once.
    pub requests_at_once: usize,
    /// How many calls a second one service of one account in one Region gets at first.
    pub calls_per_second: f64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connect: Duration::from_secs(10),
            request: Duration::from_secs(60),
            wait_min: Duration::from_millis(200),
            wait_max: Duration::from_secs(20),
            tries_max: 4,
            throttled_tries_max: 12,
            body_bytes_max: 64 << 20,
            pages_max: 10_000,
            items_max: 1_000_000,
            requests_at_once: 48,
            calls_per_second: 100.0,
        }
    }
}

impl Limits {
    /// The wait before the next try after `failed` of them: twice as long after each, at most `wait_max`, and a random part of
    /// it, at least the half.
    pub(crate) fn wait(&self, failed: u32) -> Duration {
        self.wait_longest(failed).mul_f64(0.5 + 0.5 * crate::client::random())
    }

    fn wait_longest(&self, failed: u32) -> Duration {
        self.wait_min.saturating_mul(1 << failed.min(16)).min(self.wait_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_throttling_is_waited_out() {
        let limits = Limits::default();
        let least: Duration = (1..limits.throttled_tries_max).map(|n| limits.wait_longest(n) / 2).sum();
        assert!(least >= Duration::from_secs(60), "{least:?}");
        let waits: Vec<Duration> = (1..40).map(|n| limits.wait(n)).collect();
        assert!(waits.iter().all(|w| *w >= limits.wait_min && *w <= limits.wait_max), "{waits:?}");
    }
}

/// A switch that stops a collection. Clones are the same switch.
#[derive(Clone, Debug)]
pub struct Cancel {
    flag: Arc<watch::Sender<bool>>,
}

impl Default for Cancel {
    fn default() -> Cancel {
        Cancel { flag: Arc::new(watch::Sender::new(false)) }
    }
}

impl Cancel {
    /// Stops whatever runs under it.
    pub fn cancel(&self) {
        self.flag.send_replace(true);
    }

    /// True once it was stopped.
    pub fn is_cancelled(&self) -> bool {
        *self.flag.borrow()
    }

    /// Waits until it is stopped.
    pub(crate) async fn cancelled(&self) {
        let mut watch = self.flag.subscribe();
        while !*watch.borrow_and_update() {
            if watch.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
