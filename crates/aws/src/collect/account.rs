//! Which accounts and Regions there are, before anything else is asked.

use std::sync::Arc;

use catalogue::collect::CollectScope;
use futures_util::stream::{self, StreamExt};
use model::{AccountId, Arn, Gap, GapReason, Partition, Region, Value};
use serde_json::{Map as JsonMap, Value as Json, json};

use super::gaps::{Gaps, Place};
use super::{AccountClient, Group};
use crate::client::{Call, Client, Http, HttpLimits, Shared};
use crate::credentials::{Means, Profiles, Provider, Role, find as find_credentials};
use crate::endpoint;
use crate::error::{AwsError, CallError, ErrorKind};
use crate::settings::Config;

/// How many accounts of an organisation are entered at once.
const ACCOUNTS_AT_ONCE: usize = 16;

/// An account with its client and its enabled Regions.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) id: AccountId,
    pub(super) partition: Partition,
    pub(super) client: AccountClient,
    pub(super) regions: Vec<Region>,
    pub(super) home: Region,
}

/// All accounts, and what their clients share.
pub(super) struct Found {
    pub(super) accounts: Vec<Account>,
    pub(super) shared: Arc<Shared>,
}

impl Account {
    /// Where a group is asked.
    pub(super) fn regions_for(&self, group: &Group) -> Vec<Option<Region>> {
        match group.scope {
            CollectScope::Account => vec![None],
            CollectScope::Region => self.regions.iter().cloned().map(Some).collect(),
        }
    }
}

/// What every client of these settings shares, whose credentials it uses, and the Region to begin with.
pub(crate) async fn connect(config: &Config) -> Result<(Arc<Shared>, Provider, Region), AwsError> {
    let profiles = Profiles::load(&config.environment)?;
    let profile = config.profile.as_deref();
    let asked = config.regions.first().map(|r| r.as_str().to_owned());
    let named = profile.or_else(|| config.environment.var("AWS_PROFILE")).unwrap_or("default");
    let env = &endpoint::with_profile(&config.environment, &profiles, named);
    let region = asked
        .or_else(|| env.var("AWS_REGION").or_else(|| env.var("AWS_DEFAULT_REGION")).map(str::to_owned))
        .or_else(|| profiles.setting(named, "region").map(str::to_owned))
        .unwrap_or_else(|| "us-east-1".to_owned());
    let start = Region::new(&region).map_err(|e| AwsError::config(e.to_string(), "set `--region` or `AWS_REGION`"))?;

    let limits = &config.limits;
    let http = HttpLimits { connect: limits.connect, whole: limits.request, body_bytes_max: limits.body_bytes_max };
    let near = HttpLimits { connect: limits.connect.min(std::time::Duration::from_secs(1)), body_bytes_max: 1 << 20, ..http };
    let means = Means {
        http: Http::new(env, http)?,
        local: Http::local(near)?,
        env: env.clone(),
        mfa: config.mfa.clone(),
        region: region.clone(),
        limits: limits.clone(),
    };
    let mut provider = Provider::new(find_credentials(env, &profiles, profile)?, means.clone());
    if let Some(arn) = &config.role_arn {
        let (external_id, mfa_serial) = (config.external_id.clone(), config.mfa_serial.clone());
        provider = provider.with_role(Role { arn: arn.clone(), external_id, mfa_serial, ..Role::default() });
    }
    provider.get().await?;
    let shared = Arc::new(Shared::new(means.http.clone(), env.clone(), limits.clone(), config.cancel.clone()));
    Ok((shared, provider, start))
}

/// Finds out who we are and what there is to collect.
pub(super) async fn find(config: &Config, gaps: &mut Gaps) -> Result<Found, AwsError> {
    let (shared, provider, start) = connect(config).await?;
    let own = account(&shared, &provider, &start, config, gaps).await?;
    let mut accounts = Vec::new();
    if let Some(role) = &config.org_role {
        let ids = members(&own, &start, gaps).await;
        let one = |id: AccountId| {
            let (shared, provider, start) = (&shared, &provider, &start);
            let arn = format!("arn:{}:iam::{id}:role/{role}", own.partition.name());
            async move {
                let theirs = provider.with_role(Role { arn, external_id: config.external_id.clone(), ..Role::default() });
                let mut gaps = Gaps::default();
                let found = account(shared, &theirs, start, config, &mut gaps).await;
                (id, found, gaps)
            }
        };
        let all: Vec<_> = ids.into_iter().filter(|id| *id != own.id).map(one).collect();
        let all: Vec<_> = stream::iter(all).buffered(ACCOUNTS_AT_ONCE).collect().await;
        for (id, found, more) in all {
            gaps.join(more);
            match found {
                Ok(found) => accounts.push(found),
                Err(error) => gaps.add_gap(closed(&id, &error, role)),
            }
        }
    }
    accounts.insert(0, own);
    Ok(Found { accounts, shared })
}

/// The gap of an account that could not be entered.
fn closed(id: &AccountId, error: &AwsError, role: &str) -> Gap {
    let (reason, help) = match error.kind() {
        Some(ErrorKind::Failed | ErrorKind::Throttled) => (GapReason::Failed, "run it again".to_owned()),
        Some(ErrorKind::Malformed) => (GapReason::Malformed, "run it again".to_owned()),
        _ => (GapReason::Denied, format!("let the role `{role}` of account {id} trust the caller")),
    };
    let mut gap = Gap::new(format!("account {id}"), reason, error.to_string()).help(help);
    gap.account = Some(id.clone());
    gap
}

async fn account(
    shared: &Arc<Shared>,
    provider: &Provider,
    start: &Region,
    config: &Config,
    gaps: &mut Gaps,
) -> Result<Account, AwsError> {
    provider.get().await?;
    let client = Client::new(Arc::clone(shared), provider.clone());
    let nothing = JsonMap::new();
    let call = Call { service: "sts", operation: "GetCallerIdentity", region: start, input: &nothing };
    let who = client.call(call).await.map_err(AwsError::Identity)?;
    let text = |key: &str| who.get(key).and_then(Value::as_str).unwrap_or_default();
    let odd = |message: String| AwsError::Identity(CallError::new(ErrorKind::Malformed, "sts:GetCallerIdentity", "", &message));
    let id = AccountId::new(text("Account")).map_err(|e| odd(e.to_string()))?;
    let arn = Arn::new(text("Arn")).map_err(|e| odd(e.to_string()))?;
    let partition = partition_of(&arn, start);
    let client = client.of_account(id.clone());
    let regions = regions(&client, start, &id, config, gaps).await;
    Ok(Account { id, partition, client: Arc::new(client), regions, home: endpoint::home(partition) })
}

fn partition_of(arn: &Arn, start: &Region) -> Partition {
    let all = [
        Partition::Aws,
        Partition::China,
        Partition::GovCloud,
        Partition::EuropeanSovereign,
        Partition::Iso,
        Partition::IsoB,
        Partition::IsoE,
        Partition::IsoF,
    ];
    all.into_iter().find(|p| p.name() == arn.partition()).unwrap_or_else(|| start.partition())
}

/// The Regions to collect: every enabled one, or those of the configuration that are enabled. If the account may not ask
/// which are, those of the configuration, or else the one it starts in and a gap.
async fn regions(client: &Client, start: &Region, id: &AccountId, config: &Config, gaps: &mut Gaps) -> Vec<Region> {
    let nothing = JsonMap::new();
    let call = Call { service: "ec2", operation: "DescribeRegions", region: start, input: &nothing };
    match client.call(call).await {
        Ok(answer) => {
            let names = answer.get("Regions").and_then(Value::as_list).unwrap_or_default();
            let mut found: Vec<Region> = names.iter().filter_map(|r| Region::new(r.get("RegionName")?.as_str()?).ok()).collect();
            found.sort();
            found.dedup();
            if config.regions.is_empty() {
                return found;
            }
            let (there, off): (Vec<Region>, Vec<Region>) = config.regions.iter().cloned().partition(|r| found.contains(r));
            for region in off {
                let mut gap =
                    Gap::new(format!("region {region}"), GapReason::Missing, "it is not enabled in this account").note();
                (gap.account, gap.region) = (Some(id.clone()), Some(region));
                gaps.add_gap(gap);
            }
            there
        }
        Err(_) if !config.regions.is_empty() => config.regions.clone(),
        Err(error) => {
            gaps.add(&error, Place { account: Some(id), region: None, type_name: None });
            vec![start.clone()]
        }
    }
}

/// The organisation's active accounts.
async fn members(own: &Account, start: &Region, gaps: &mut Gaps) -> Vec<AccountId> {
    let input = json!({}).as_object().cloned().unwrap_or_default();
    let call = Call { service: "organizations", operation: "ListAccounts", region: start, input: &input };
    match own.client.call_all(call).await {
        Ok(answer) => {
            let all = answer.get("Accounts").and_then(Value::as_list).unwrap_or_default();
            let active = |a: &&Value| a.get("Status").and_then(Value::as_str).is_none_or(|s| s == "ACTIVE");
            let mut ids: Vec<AccountId> =
                all.iter().filter(active).filter_map(|a| AccountId::new(a.get("Id")?.as_str()?).ok()).collect();
            ids.sort();
            ids
        }
        Err(error) => {
            gaps.add(&error, Place { account: Some(&own.id), region: None, type_name: None });
            Vec::new()
        }
    }
}

/// Inputs that name this account and Region, for templates.
pub(super) fn builtins(partition: Partition, account: &AccountId, region: &Region) -> crate::value::Named {
    let pairs = [("partition", partition.name()), ("account", account.as_str()), ("region", region.as_str())];
    pairs.into_iter().map(|(k, v)| (k.to_owned(), Value::text(v))).collect()
}

/// JSON of an input value.
pub(super) fn to_input(value: &Value) -> Json {
    model::to_json(value)
}
