//! From JSON to a case. Names may be written in snake, camel or Pascal case.

use std::sync::Arc;

use model::Text;
use serde_json::{Map as JsonMap, Value as Json};
use smallvec::SmallVec;

use super::{Case, Validate, check};
use crate::authorization::Authorization;
use crate::document::Policy;
use crate::evaluate::{Level, Policies};
use crate::request::{Breadth, Caller, Context, Entry, Mode, REQUEST_TEXT_BYTES_MAX, Request};
use crate::s3::{self, BlockPublicAccess, Switches};

/// Reads a case.
pub fn read(case: &Json, validate: Validate) -> Result<Case, String> {
    let request = member(case, &["request"]).ok_or("`request` is missing")?;
    let mode = match member(case, &["mode"]) {
        None | Some(Json::Null) => Mode::Strict,
        Some(Json::String(mode)) if mode.eq_ignore_ascii_case("strict") => Mode::Strict,
        Some(Json::String(mode)) if mode.eq_ignore_ascii_case("discovery") => Mode::Discovery,
        Some(other) => return Err(format!("`mode` is `strict` or `discovery`, not `{other}`")),
    };
    let caller = read_caller(member(request, &["principal"]).unwrap_or(&Json::Null))?;
    let action = text("action", member(request, &["action"]))?.ok_or("`request.action` is missing")?;
    let (mut resource, mut account) = read_resource(member(request, &["resource"]))?;
    if let Some(own) = text("resource_account", member(request, &["resourceaccount", "resourceaccountid"]))? {
        account = Some(own);
    }
    let flag = |name: &str| member(request, &[name]).and_then(Json::as_bool).unwrap_or(false);
    let told = member(request, &["wildcardonlyaction"]).and_then(Json::as_bool);
    let wildcard_only = told.unwrap_or_else(|| resource == "*" && takes_no_resource(action));
    if wildcard_only {
        resource = "*";
    }
    let context = read_context(member(request, &["context", "contextvariables"]), mode)?;
    let mut policies = read_policies(case)?;
    policies.s3 = read_switches(case);
    if validate == Validate::Yes {
        check(&policies)?;
    }
    let build = if flag("derivecontext") { Request::new } else { Request::bare };
    let mut request = build(caller, action, resource, account, context);
    if resource.contains('*') && !wildcard_only {
        request.breadth = Breadth::Set;
    }
    s3::drop_bucket_tags(&mut request, &policies.s3);
    Ok(Case { request, policies })
}

/// Whether the action is known to take no resources, so that only `*` stands for what it is done to.
fn takes_no_resource(action: &str) -> bool {
    let known = action.split_once(':').and_then(|(service, name)| {
        let service = service.to_ascii_lowercase();
        let short = Authorization::built_in().short_actions(&service);
        short.iter().find(|a| a.name.eq_ignore_ascii_case(name))
    });
    known.is_some_and(|action| !action.takes_resources)
}

fn text<'a>(name: &str, value: Option<&'a Json>) -> Result<Option<&'a str>, String> {
    match value {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(s)) if s.len() > REQUEST_TEXT_BYTES_MAX => {
            Err(format!("`request.{name}` is longer than {REQUEST_TEXT_BYTES_MAX} bytes"))
        }
        Some(Json::String(s)) => Ok(Some(s)),
        Some(_) => Err(format!("`request.{name}` is not a string")),
    }
}

/// The resource and, if it is told beside it, its account: `"arn:.."` or `{"resource": "arn:..", "account_id": ".."}`.
fn read_resource(value: Option<&Json>) -> Result<(&str, Option<&str>), String> {
    match value {
        Some(inner @ Json::Object(_)) => {
            let arn = text("resource", member(inner, &["resource", "arn"]))?;
            Ok((arn.unwrap_or("*"), text("resource", member(inner, &["accountid", "account"]))?))
        }
        other => Ok((text("resource", other)?.unwrap_or("*"), None)),
    }
}

fn read_caller(principal: &Json) -> Result<Caller, String> {
    let name = match principal {
        Json::String(text) if text.len() > REQUEST_TEXT_BYTES_MAX => {
            return Err(format!("`request.principal` is longer than {REQUEST_TEXT_BYTES_MAX} bytes"));
        }
        Json::String(text) => return Ok(Caller::parse(text)),
        Json::Null => return Ok(Caller::Anonymous),
        Json::Object(_) => principal,
        _ => return Err("`request.principal` is a string or an object".into()),
    };
    let kind = member(name, &["type"]).and_then(Json::as_str).unwrap_or_default();
    let of = |names: &[&str]| member(name, names).and_then(Json::as_str);
    let value = of(&["arn", "value", "name", "id", "aws"]).unwrap_or_default();
    let (service, provider) = (of(&["service"]), of(&["federated"]));
    Ok(match kind.to_ascii_lowercase().as_str() {
        "anonymous" => Caller::Anonymous,
        "service" | "awsservice" => Caller::Service(service.unwrap_or(value).into()),
        "federated" | "oidc" | "saml" | "webidentity" => Caller::Provider(provider.unwrap_or(value).into()),
        _ => match (service, provider) {
            (Some(service), _) => Caller::Service(service.into()),
            (None, Some(provider)) => Caller::Provider(provider.into()),
            (None, None) if value.is_empty() => return Err("`request.principal` names nobody".into()),
            (None, None) => Caller::parse(value),
        },
    })
}

/// A list is a multi-valued key; `null` a key that is certainly absent.
fn read_context(context: Option<&Json>, mode: Mode) -> Result<Context, String> {
    let mut out = Context::new(mode);
    let entries = match context {
        None | Some(Json::Null) => return Ok(out),
        Some(Json::Object(entries)) => entries,
        Some(_) => return Err("`request.context` is not an object".into()),
    };
    for (key, value) in entries {
        let scalar = |v: &Json| -> Result<Text, String> {
            Ok(match v {
                Json::String(s) if s.len() > REQUEST_TEXT_BYTES_MAX => {
                    return Err(format!("`request.context.{key}` is longer than {REQUEST_TEXT_BYTES_MAX} bytes"));
                }
                Json::String(s) => s.as_str().into(),
                Json::Bool(b) => b.to_string().into(),
                Json::Number(n) => n.to_string().into(),
                _ => return Err(format!("`request.context` holds no plain value for `{key}`")),
            })
        };
        let entry = match value {
            Json::Null => Entry::Absent,
            Json::Array(items) => Entry::Many(items.iter().map(scalar).collect::<Result<_, _>>()?),
            one => Entry::Values(SmallVec::from_iter([scalar(one)?])),
        };
        out.set(key, entry);
    }
    Ok(out)
}

/// The kinds of policies with the names they go by.
const KINDS: [(&str, &[&str]); 7] = [
    ("identity", &["identity", "identitypolicies"]),
    ("resource", &["resource", "resourcepolicy", "resourcepolicies"]),
    ("session", &["session", "sessionpolicy"]),
    ("boundary", &["boundary", "boundaries", "permissionboundaries", "permissionboundarypolicies"]),
    ("scp", &["scp", "scps", "servicecontrolpolicies"]),
    ("rcp", &["rcp", "rcps", "resourcecontrolpolicies"]),
    ("vpc_endpoint", &["vpcendpoint", "endpointpolicies", "vpcendpointpolicies"]),
];

fn read_policies(case: &Json) -> Result<Policies, String> {
    let home = match member(case, &["policies"]) {
        None | Some(Json::Null) => case,
        Some(home @ Json::Object(map)) => {
            let of_s3 = |key: &str| {
                let key: String = squeeze(key).collect();
                key.contains("publicaccess") || key.contains("abac")
            };
            let known = |key: &str| {
                let of_kind = KINDS.iter().any(|(_, names)| names.iter().any(|name| goes_by(key, name)));
                of_kind || goes_by(key, "s3") || (of_switches(key) && of_s3(key))
            };
            if let Some(other) = map.keys().find(|k| !known(k)) {
                return Err(format!("`policies` has no member `{other}`"));
            }
            home
        }
        _ => return Err("`policies` is not an object".into()),
    };
    let of = |kind: &str| KINDS.iter().find(|(name, _)| *name == kind).and_then(|(_, names)| member(home, names));
    let many = |kind: &str| documents(of(kind));
    let one = |kind: &str| many(kind).map(merge);
    Ok(Policies {
        identity: many("identity")?,
        resource: one("resource")?,
        boundary: many("boundary")?,
        session: one("session")?,
        scp: levels(of("scp"))?,
        rcp: levels(of("rcp"))?,
        vpc_endpoint: many("vpc_endpoint")?,
        s3: Switches::default(),
    })
}

/// Several documents in a place for one count as one with all the statements.
fn merge(mut all: Vec<Arc<Policy>>) -> Option<Arc<Policy>> {
    let rest = if all.is_empty() { return None } else { all.split_off(1) };
    let mut first = all.pop()?;
    for policy in &rest {
        let first = Arc::make_mut(&mut first);
        first.statements.extend(policy.statements.iter().cloned());
        first.problems.extend(policy.problems.iter().cloned());
        first.unreadable = first.unreadable.take().or(policy.unreadable.clone());
    }
    Some(first)
}

fn documents(value: Option<&Json>) -> Result<Vec<Arc<Policy>>, String> {
    Ok(match value {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(items)) => items.iter().map(|d| document(d).map(Arc::new)).collect::<Result<_, _>>()?,
        Some(one) => vec![Arc::new(document(one)?)],
    })
}

/// A document itself, its text, or an object that holds it as `policy` or `document`.
fn document(value: &Json) -> Result<Policy, String> {
    match value {
        Json::String(text) => Ok(Policy::from_json(text)),
        Json::Object(map) => match member(value, &["policy", "document", "policydocument"]) {
            Some(inner) if !map.contains_key("Statement") && (inner.is_object() || inner.is_string()) => document(inner),
            _ => Ok(Policy::from_value(&model::from_json(value))),
        },
        _ => Err("a policy is an object or a string".into()),
    }
}

/// Levels of organisational policies, outermost first.
pub(crate) fn levels(value: Option<&Json>) -> Result<Vec<Level>, String> {
    let items = match value {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Array(items)) => items,
        Some(_) => return Err("levels are a list of {\"node\", \"policies\"}".into()),
    };
    let level = |(i, item): (usize, &Json)| -> Result<Level, String> {
        let node = member(item, &["node", "orgidentifier", "id", "target"]).and_then(Json::as_str);
        let policies = match member(item, &["policies"]) {
            Some(policies) => documents(Some(policies))?,
            None => vec![Arc::new(document(item)?)],
        };
        Ok(Level { node: node.map_or_else(|| i.to_string(), str::to_owned), policies })
    };
    items.iter().enumerate().map(level).collect()
}

/// S3's switches, beside the request, in it, among the policies or under `settings`, by themselves or under `s3`:
/// `{"s3": {"block_public_access": {"account": {..}, "bucket": {..}}, "bucket_abac": true}}`.
fn read_switches(case: &Json) -> Switches {
    let mut out = Switches::default();
    let mut homes: Vec<&Json> = vec![case];
    for name in ["request", "policies", "settings", "additionalsettings", "servicesettings", "options"] {
        homes.extend(member(case, &[name]));
    }
    let inner: Vec<&Json> = homes.iter().filter_map(|home| member(home, &["s3"])).collect();
    homes.extend(inner);
    let members = homes.into_iter().filter_map(Json::as_object).flatten();
    for (key, value) in members.filter(|(key, _)| of_switches(key)) {
        let key: String = squeeze(key).collect();
        if key.contains("abac") {
            out.bucket_abac = match value {
                Json::Bool(on) => Some(*on),
                Json::String(s) => Some(s.eq_ignore_ascii_case("enabled") || s.eq_ignore_ascii_case("true")),
                _ => None,
            };
        }
        if !key.contains("publicaccess") {
            continue;
        }
        let (account, bucket) = (member(value, &["account"]), member(value, &["bucket"]));
        if account.is_some() || bucket.is_some() {
            out.account = account.map_or(out.account, block_public_access);
            out.bucket = bucket.map_or(out.bucket, block_public_access);
        } else if key.contains("account") {
            out.account = block_public_access(value);
        } else {
            out.bucket = block_public_access(value);
        }
    }
    out
}

fn block_public_access(value: &Json) -> BlockPublicAccess {
    if let Json::Bool(all) = value {
        let all = model::Truth::from(*all);
        return BlockPublicAccess {
            block_public_acls: all,
            ignore_public_acls: all,
            block_public_policy: all,
            restrict_public_buckets: all,
        };
    }
    let on = |name: &str| member(value, &[name]).and_then(Json::as_bool).unwrap_or(false).into();
    BlockPublicAccess {
        block_public_acls: on("blockpublicacls"),
        ignore_public_acls: on("ignorepublicacls"),
        block_public_policy: on("blockpublicpolicy"),
        restrict_public_buckets: on("restrictpublicbuckets"),
    }
}

/// The first member of an object that goes by one of these squeezed names.
fn member<'a>(value: &'a Json, names: &[&str]) -> Option<&'a Json> {
    let map: &JsonMap<String, Json> = value.as_object()?;
    let plain = names.iter().find_map(|name| map.get(*name));
    plain.or_else(|| map.iter().find(|(key, _)| names.iter().any(|name| goes_by(key, name))).map(|(_, v)| v))
}

/// Whether a name is this squeezed one.
fn goes_by(key: &str, name: &str) -> bool {
    squeeze(key).eq(name.chars())
}

/// Whether a name may be that of a switch of S3's.
fn of_switches(key: &str) -> bool {
    let mentions = |word: &str| key.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    mentions("public") || mentions("abac")
}

/// A name in lower case without underscores and hyphens.
fn squeeze(name: &str) -> impl Iterator<Item = char> + '_ {
    name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase())
}
