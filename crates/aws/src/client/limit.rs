//! A token bucket for each (account, Region, service): the rate falls when AWS says "too many" and recovers with success.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The slowest rate, in calls a second.
const RATE_MIN: f64 = 0.5;

/// The buckets of a collection.
pub(crate) struct Limiter {
    rate_max: f64,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

struct Bucket {
    /// Calls a second.
    rate: f64,
    /// Calls that may be made now; negative if calls already wait.
    tokens: f64,
    filled: Instant,
}

impl Limiter {
    /// Buckets that begin with `rate_max` calls a second, and as many at once.
    pub(crate) fn new(rate_max: f64) -> Limiter {
        Limiter { rate_max: rate_max.max(RATE_MIN), buckets: Mutex::new(BTreeMap::new()) }
    }

    /// Waits until a call may be made.
    pub(crate) async fn take(&self, key: &str) {
        let wait = self.with(key, |bucket| {
            bucket.tokens -= 1.0;
            if bucket.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-bucket.tokens / bucket.rate) }
        });
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// AWS refused a call for being too many.
    pub(crate) fn throttled(&self, key: &str) {
        self.with(key, |bucket| {
            bucket.rate = (bucket.rate * 0.6).max(RATE_MIN);
            bucket.tokens = bucket.tokens.min(0.0);
        });
    }

    /// A call was answered.
    pub(crate) fn succeeded(&self, key: &str) {
        let most = self.rate_max;
        self.with(key, |bucket| bucket.rate = (bucket.rate + 0.2).min(most));
    }

    fn with<T>(&self, key: &str, change: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if !buckets.contains_key(key) {
            buckets.insert(key.to_owned(), Bucket { rate: self.rate_max, tokens: self.rate_max, filled: now });
        }
        let fresh = &mut Bucket { rate: self.rate_max, tokens: self.rate_max, filled: now };
        let bucket = buckets.get_mut(key).unwrap_or(fresh);
        let gained = now.duration_since(bucket.filled).as_secs_f64() * bucket.rate;
        bucket.tokens = (bucket.tokens + gained).min(bucket.rate.max(1.0));
        bucket.filled = now;
        change(bucket)
    }
}

/// A number from 0 to 1 that need not be unguessable: it spreads retries.
pub(crate) fn random() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    let bits = std::hash::RandomState::new().build_hasher().finish();
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_falls_and_recovers() {
        let limiter = Limiter::new(10.0);
        let rate = |l: &Limiter| l.with("k", |b| b.rate);
        limiter.throttled("k");
        assert!((rate(&limiter) - 6.0).abs() < 1e-9);
        (0..50).for_each(|_| limiter.throttled("k"));
        assert!((rate(&limiter) - RATE_MIN).abs() < 1e-9);
        (0..100).for_each(|_| limiter.succeeded("k"));
        assert!((rate(&limiter) - 10.0).abs() < 1e-9);
        assert!((limiter.with("other", |b| b.rate) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn random_is_within_bounds() {
        assert!((0..1000).map(|_| random()).all(|r| (0.0..1.0).contains(&r)));
    }
}
