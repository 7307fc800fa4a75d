//! Calls without input that several groups of types make: what each Region of an account answers is asked for once.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use model::{AccountId, Region, Value};
use rustc_hash::FxHashMap;
use tokio::sync::OnceCell;

use super::Plan;
use super::account::Account;
use crate::client::Call;
use crate::error::CallError;

type Answer = Arc<OnceCell<Result<Value, CallError>>>;

/// The answers so far.
#[derive(Default)]
pub(super) struct Asked {
    /// API and operation.
    calls: BTreeSet<(String, String)>,
    answers: Mutex<FxHashMap<(AccountId, Region, String), Answer>>,
}

impl Asked {
    pub(super) fn new(plan: &Plan) -> Asked {
        let mut once = BTreeSet::new();
        let mut calls = BTreeSet::new();
        for call in plan.groups().iter().flat_map(|group| group.root.plain_calls()) {
            if !once.insert(call) {
                calls.insert((call.0.to_owned(), call.1.to_owned()));
            }
        }
        Asked { calls, answers: Mutex::default() }
    }

    /// True if the call's answer is kept for others that make it.
    pub(super) fn keeps(&self, call: Call<'_>) -> bool {
        call.input.is_empty() && self.calls.contains(&(call.service.to_owned(), call.operation.to_owned()))
    }

    /// Every page of the answer to a call as one: its own, or the one that another's call had.
    pub(super) async fn call_all(&self, account: &Account, call: Call<'_>) -> Result<Value, CallError> {
        if !self.keeps(call) {
            return account.client.call_all(call).await;
        }
        let key = (account.id.clone(), call.region.clone(), format!("{}:{}", call.service, call.operation));
        let answer = Arc::clone(self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        answer.get_or_init(|| account.client.call_all(call)).await.clone()
    }
}
