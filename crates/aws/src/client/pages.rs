//! Every page of a listing.

use std::borrow::Cow;

use model::Value;
use serde_json::{Map as JsonMap, Value as Json};

use super::{Call, Client};
use crate::error::{CallError, ErrorKind};
use crate::facts::{Facts, Pages};
use crate::value::{Scope, eval};

/// The pages of a listing, one after the other.
pub(crate) struct PagesOf<'a> {
    client: &'a Client,
    call: Call<'a>,
    /// The next page's input; `None` once there are no more.
    input: Option<JsonMap<String, Json>>,
    tokens: Option<Vec<Value>>,
    count: usize,
}

impl Client {
    /// Every page of a listing; nothing is asked before the first `next`.
    pub(crate) fn pages<'a>(&'a self, call: Call<'a>) -> PagesOf<'a> {
        PagesOf { client: self, call, input: Some(call.input.clone()), tokens: None, count: 0 }
    }

    /// Every page as one answer: lists are joined, of everything else the last page's value stays.
    pub(crate) async fn call_all(&self, call: Call<'_>) -> Result<Value, CallError> {
        let mut whole = Value::Null;
        let mut pages = self.pages(call);
        while let Some(page) = pages.next().await? {
            join(&mut whole, page, 0);
        }
        Ok(whole)
    }
}

impl PagesOf<'_> {
    /// The next page; `None` after the last. A token that comes twice, or too many pages, is an error.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>, CallError> {
        let Some(mut input) = self.input.take() else { return Ok(None) };
        let (call, limits) = (self.call, &self.client.shared.limits);
        let limit =
            |message: String| CallError::new(ErrorKind::Limit, &format!("{}:{}", call.service, call.operation), "", &message);
        self.count += 1;
        if self.count > limits.pages_max {
            return Err(limit(format!("more than {} pages", limits.pages_max)));
        }
        let answer = self.client.call(Call { input: &input, ..call }).await?;
        let pages = paging(call.service, call.operation);
        let Some((pages, tokens)) = pages.and_then(|p| next(&p, &answer).map(|tokens| (p, tokens))) else {
            return Ok(Some(answer));
        };
        if self.tokens.as_ref() == Some(&tokens) {
            return Err(limit("the pages repeat: the same token came twice".to_owned()));
        }
        for (name, token) in pages.inputs.iter().zip(&tokens) {
            if token.is_null() {
                input.remove(name);
            } else {
                input.insert(name.clone(), model::to_json(token));
            }
        }
        self.tokens = Some(tokens);
        self.input = Some(input);
        Ok(Some(answer))
    }
}

/// What botocore calls a token where it describes no paging: an input and an output of one of these names.
const TOKENS: &[&str] = &["NextToken", "nextToken", "NextMarker"];

/// How an operation pages; `None` if it doesn't.
fn paging(service: &str, operation: &str) -> Option<Cow<'static, Pages>> {
    let service = Facts::get().service(service)?;
    let facts = service.operations.get(operation)?;
    if let Some(pages) = &facts.pages {
        return Some(Cow::Borrowed(pages));
    }
    let (input, output) = (service.object(facts.input)?, service.object(facts.output)?);
    let token = TOKENS.iter().find(|t| input.members.contains_key(**t) && output.members.contains_key(**t))?;
    Some(Cow::Owned(Pages { inputs: vec![(*token).to_owned()], outputs: vec![(*token).to_owned()], more: None }))
}

/// True if an answer says that there are more pages. The AWS CLI writes any token as `NextToken`.
pub(crate) fn has_more(service: &str, operation: &str, answer: &Value) -> bool {
    let by_cli = answer.get("NextToken").and_then(Value::as_str).is_some_and(|t| !t.is_empty());
    by_cli || paging(service, operation).is_some_and(|pages| next(&pages, answer).is_some())
}

/// The tokens of the next page; `None` if there is none.
fn next(pages: &Pages, answer: &Value) -> Option<Vec<Value>> {
    let look = |path: &String| catalogue::collect::Expr::parse(path).map_or(Value::Null, |e| eval(&e, &Scope::of(answer)));
    if let Some(more) = &pages.more
        && look(more).as_bool() != Some(true)
    {
        return None;
    }
    let tokens: Vec<Value> = pages.outputs.iter().map(look).collect();
    let is_set = |v: &Value| !v.is_null() && v.as_str() != Some("");
    tokens.iter().any(is_set).then_some(tokens)
}

fn join(whole: &mut Value, page: Value, depth: usize) {
    match (whole, page) {
        (Value::Map(all), Value::Map(page)) if depth < 4 => {
            for (key, value) in page {
                join(all.entry(&key), value, depth + 1);
            }
        }
        (Value::List(all), Value::List(page)) => all.extend(page),
        (whole, page) => *whole = page,
    }
}
