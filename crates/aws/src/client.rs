//! One client for every service: builds a request by the API facts, signs it, sends it, tries again where that may help, and
//! reads the answer by its shape.
//!
//! Absent on purpose: any way to call an operation that the facts do not hold.

mod http;
mod limit;
mod pages;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use model::{AccountId, Region, Value};
use serde_json::{Map as JsonMap, Value as Json};

pub(crate) use http::{Http, HttpError, HttpLimits};
pub(crate) use limit::random;
pub(crate) use pages::has_more;

use crate::credentials::{Credentials, Provider};
use crate::endpoint::{self, Endpoint};
use crate::environment::Environment;
use crate::error::{CallError, ErrorKind, classify};
use crate::facts::{Facts, Service};
use crate::wire::{self, Parts, Raw};
use crate::{Cancel, Limits, sign};
use limit::Limiter;

/// How far the clocks may differ before a refused signature is blamed on them.
const CLOCK_SKEW_MIN: Duration = Duration::from_secs(240);

/// A call: which operation, where, with what input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) region: &'a Region,
    pub(crate) input: &'a JsonMap<String, Json>,
}

/// A client for one set of credentials.
pub(crate) struct Client {
    shared: Arc<Shared>,
    provider: Provider,
    account: Option<AccountId>,
}

/// What all clients of a collection share.
pub(crate) struct Shared {
    pub(crate) http: Http,
    pub(crate) env: Environment,
    pub(crate) limits: Limits,
    pub(crate) cancel: Cancel,
    limiter: Limiter,
    /// One for each request that may be under way.
    slots: tokio::sync::Semaphore,
    /// Our clock's lag behind the services', in seconds.
    skew: AtomicI64,
    calls: AtomicU64,
    /// The Region of each bucket that turned out to lie elsewhere.
    buckets: Mutex<BTreeMap<String, String>>,
}

impl Shared {
    pub(crate) fn new(http: Http, env: Environment, limits: Limits, cancel: Cancel) -> Shared {
        let limiter = Limiter::new(limits.calls_per_second);
        let slots = tokio::sync::Semaphore::new(limits.requests_at_once.max(1));
        Shared {
            http,
            env,
            limits,
            cancel,
            limiter,
            slots,
            skew: AtomicI64::new(0),
            calls: AtomicU64::new(0),
            buckets: Mutex::new(BTreeMap::new()),
        }
    }

    /// How many requests were sent.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn bucket_region(&self, bucket: &str) -> Option<String> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner).get(bucket).cloned()
    }

    fn now(&self) -> SystemTime {
        shifted(SystemTime::now(), self.skew.load(Ordering::Relaxed))
    }
}

/// How many seconds our time lies behind the server's, if that is enough to have a signature refused.
pub(crate) fn clock_lag(raw: &Raw, ours: SystemTime) -> Option<i64> {
    let server = raw.header("date").and_then(|d| jiff::fmt::rfc2822::parse(d).ok())?;
    let ours = ours.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
    let lag = server.timestamp().as_second() - ours;
    (lag.unsigned_abs() >= CLOCK_SKEW_MIN.as_secs()).then_some(lag)
}

/// A time so many seconds later, or earlier.
pub(crate) fn shifted(time: SystemTime, seconds: i64) -> SystemTime {
    let shift = Duration::from_secs(seconds.unsigned_abs());
    let moved = if seconds >= 0 { time.checked_add(shift) } else { time.checked_sub(shift) };
    moved.unwrap_or(time)
}

/// What to do after an answer that isn't a success.
enum Next {
    Again,
    Wait(Duration),
    GiveUp,
}

/// How often a call was tried, and which of the corrections were already made.
#[derive(Default)]
struct Tries {
    failed: u32,
    throttled: u32,
    clock_set: bool,
    redirected: bool,
    refreshed: bool,
    /// The key that signed the last try.
    key_id: String,
}

impl Client {
    pub(crate) fn new(shared: Arc<Shared>, provider: Provider) -> Client {
        Client { shared, provider, account: None }
    }

    /// The same, once it is known whose credentials these are.
    pub(crate) fn of_account(mut self, account: AccountId) -> Client {
        self.account = Some(account);
        self
    }

    /// Makes one call and reads its answer.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Value, CallError> {
        let name = format!("{}:{}", call.service, call.operation);
        let fail = |kind, message: &str| CallError::new(kind, &name, "", message);
        let facts = Facts::get().service(call.service).and_then(|s| Some((s, s.operations.get_key_value(call.operation)?)));
        let Some((service, (operation, facts))) = facts else {
            return Err(fail(ErrorKind::Rejected, "there is no such read operation in the API facts"));
        };
        let operation = (operation.as_str(), facts);
        let parts = wire::build(call.service, service, operation, call.input).map_err(|m| fail(ErrorKind::Rejected, &m))?;
        let raw = self.answer(call, service, &parts).await?;
        wire::decode(call.service, service, operation, &raw).map_err(|m| fail(ErrorKind::Malformed, &m))
    }

    /// The answer to a request, after as many tries as may help.
    pub(crate) async fn answer(&self, call: Call<'_>, service: &Service, parts: &Parts) -> Result<Raw, CallError> {
        let name = format!("{}:{}", call.service, call.operation);
        let fail = |kind, message: &str| CallError::new(kind, &name, "", message);
        let mut tries = Tries::default();
        loop {
            let raw = self.attempt(call, service, parts, &mut tries).await;
            let error = match raw {
                Ok(raw) if (200..300).contains(&raw.status) => {
                    self.shared.limiter.succeeded(&self.bucket_key(call));
                    return Ok(raw);
                }
                Ok(raw) => self.refused(call, parts, raw, &name, &mut tries).await,
                Err(error) => (error, Next::GiveUp),
            };
            let (error, next) = match error {
                (error, Next::GiveUp) => self.after_failure(call, error, &mut tries, service),
                pair => pair,
            };
            match next {
                Next::Again => {}
                Next::GiveUp => return Err(error),
                Next::Wait(time) => {
                    tokio::select! {
                        () = tokio::time::sleep(time) => {}
                        () = self.shared.cancel.cancelled() => return Err(fail(ErrorKind::Cancelled, "stopped")),
                    }
                }
            }
        }
    }

    fn bucket_key(&self, call: Call<'_>) -> String {
        let account = self.account.as_ref().map_or("", AccountId::as_str);
        format!("{account}/{}/{}", call.region.as_str(), call.service)
    }

    /// One request and its answer, whatever its status.
    async fn attempt(&self, call: Call<'_>, service: &Service, parts: &Parts, tries: &mut Tries) -> Result<Raw, CallError> {
        let fail = |kind, message: &str| CallError::new(kind, &format!("{}:{}", call.service, call.operation), "", message);
        let cancelled = || fail(ErrorKind::Cancelled, "stopped");
        let key = self.bucket_key(call);
        tokio::select! {
            () = self.shared.limiter.take(&key) => {}
            () = self.shared.cancel.cancelled() => return Err(cancelled()),
        }
        let credentials = self.provider.get().await.map_err(|e| fail(ErrorKind::Credentials, &e.to_string()))?;
        tries.key_id.clone_from(&credentials.key_id);
        let account = self.account.as_ref().map_or("", AccountId::as_str);
        let moved = parts.bucket.as_deref().and_then(|b| self.shared.bucket_region(b)).and_then(|r| Region::new(&r).ok());
        let region = moved.as_ref().unwrap_or(call.region);
        let Some(endpoint) = endpoint::resolve(call.service, service, region, account, &self.shared.env) else {
            return Err(fail(ErrorKind::NotOffered, "the service has no endpoint in this partition"));
        };
        let url = url(&endpoint, parts);
        let headers = self.signed(&endpoint, parts, &url, &credentials).map_err(|m| fail(ErrorKind::Failed, &m))?;
        self.shared.calls.fetch_add(1, Ordering::Relaxed);
        // A closed semaphore cannot be: nobody closes it.
        let _slot = self.shared.slots.acquire().await;
        let sent = self.shared.http.send(&parts.method, &url, &headers, &parts.body);
        let answer = tokio::select! {
            answer = sent => answer,
            () = self.shared.cancel.cancelled() => return Err(cancelled()),
        };
        answer.map_err(|error| match error {
            HttpError::TooLong(limit) => fail(ErrorKind::Limit, &format!("the answer is longer than {limit} bytes")),
            HttpError::Unreachable(m) if !endpoint.overridden && service.absent.iter().any(|r| r == region.as_str()) => {
                fail(ErrorKind::NotOffered, &m)
            }
            HttpError::Unreachable(m) | HttpError::Broken(m) => fail(ErrorKind::Failed, &m),
        })
    }

    fn signed(
        &self,
        endpoint: &Endpoint,
        parts: &Parts,
        url: &str,
        credentials: &Credentials,
    ) -> Result<Vec<(String, String)>, String> {
        let mut headers = parts.headers.clone();
        let signable = sign::Signable { method: &parts.method, url, headers: &headers, body: &parts.body };
        let time = self.shared.now();
        let more = sign::headers(&signable, credentials, &endpoint.signing_region, &endpoint.signing_name, time)?;
        headers.extend(more);
        Ok(headers)
    }

    /// Reads an error answer and decides whether a correction is worth another try.
    async fn refused(&self, call: Call<'_>, parts: &Parts, raw: Raw, name: &str, tries: &mut Tries) -> (CallError, Next) {
        let found = wire::api_error(&raw);
        let error = CallError::new(classify(&found.code, raw.status), name, &found.code, &found.message);
        if let (Some(bucket), Some(region), false) = (&parts.bucket, &found.region, tries.redirected) {
            let elsewhere = matches!(raw.status, 301 | 307 | 400) && self.shared.bucket_region(bucket).as_deref() != Some(region);
            if elsewhere && (raw.status != 400 || found.code == "AuthorizationHeaderMalformed") {
                tries.redirected = true;
                let mut buckets = self.shared.buckets.lock().unwrap_or_else(PoisonError::into_inner);
                buckets.insert(bucket.clone(), region.clone());
                return (error, Next::Again);
            }
        }
        if error.kind == ErrorKind::Credentials {
            if !tries.clock_set && self.set_clock(&raw) {
                tries.clock_set = true;
                return (error, Next::Again);
            }
            if !tries.refreshed && found.code.starts_with("Expired") && self.provider.renew(&tries.key_id).await {
                tries.refreshed = true;
                return (error, Next::Again);
            }
        }
        if error.kind == ErrorKind::Throttled {
            self.shared.limiter.throttled(&self.bucket_key(call));
        }
        (error, Next::GiveUp)
    }

    /// Sets our idea of the time by the server's, if that differs much. False if it doesn't.
    fn set_clock(&self, raw: &Raw) -> bool {
        let Some(lag) = clock_lag(raw, self.shared.now()) else { return false };
        self.shared.skew.fetch_add(lag, Ordering::Relaxed);
        true
    }

    /// Whether to try again after a failure, and when.
    fn after_failure(&self, call: Call<'_>, error: CallError, tries: &mut Tries, service: &Service) -> (CallError, Next) {
        let limits = &self.shared.limits;
        let (count, most) = match error.kind {
            ErrorKind::Throttled => (&mut tries.throttled, limits.throttled_tries_max),
            ErrorKind::Failed => (&mut tries.failed, limits.tries_max),
            _ => return (error, Next::GiveUp),
        };
        *count += 1;
        let doubtful = service.absent.iter().any(|r| r == call.region.as_str());
        if *count >= most || (doubtful && *count >= 2) {
            return (error, Next::GiveUp);
        }
        (error, Next::Wait(limits.wait(*count)))
    }
}

/// The whole URL. S3 buckets stand in the host where their name allows it and the endpoint is AWS's own.
fn url(endpoint: &Endpoint, parts: &Parts) -> String {
    let (scheme, host) = endpoint.base.split_once("://").unwrap_or(("https", &endpoint.base));
    let mut host = host.to_owned();
    let mut path = parts.path.as_str();
    if !endpoint.overridden {
        if let Some(bucket) = parts.bucket.as_deref().filter(|b| dns_name(b)) {
            let rest = path.strip_prefix('/').and_then(|p| p.strip_prefix(bucket));
            if let Some(rest) = rest {
                host = format!("{bucket}.{host}");
                path = if rest.is_empty() { "/" } else { rest };
            }
        }
        if !parts.host_prefix.is_empty() && !host.starts_with(&parts.host_prefix) {
            host = format!("{}{host}", parts.host_prefix);
        }
    }
    let query = if parts.query.is_empty() { String::new() } else { format!("?{}", parts.query) };
    format!("{scheme}://{host}{path}{query}")
}

/// True for a bucket's name that can stand in a host name under AWS's certificate: no dots, no upper case.
fn dns_name(bucket: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (3..=63).contains(&bucket.len()) && bucket.bytes().all(inner) && !bucket.starts_with('-') && !bucket.ends_with('-')
}

#[cfg(test)]
mod tests;
