//! What a plan or state holds, in one form.

use model::{Gap, GapReason, SourceKind, Text};
use rustc_hash::{FxHashMap, FxHashSet};

use super::Limits;
use super::address::{self, Key};
use super::json::Node;
use super::places::BlockName;

/// One resource or data source instance.
#[derive(Debug)]
pub(crate) struct Instance<'n> {
    /// The whole address.
    pub(crate) address: Text,
    /// The address of the module that holds it; empty at the root.
    pub(crate) module: Text,
    pub(crate) type_name: &'n str,
    pub(crate) name: &'n str,
    pub(crate) key: Option<Key>,
    pub(crate) values: &'n Node<'n>,
    /// `after_unknown`, in a plan.
    pub(crate) unknown: Option<&'n Node<'n>>,
    pub(crate) sensitive: Sensitive<'n>,
    /// True if what is not known yet is left out of the values, as `planned_values` do.
    pub(crate) omitted: bool,
}

impl Instance<'_> {
    /// The block that it was written as.
    pub(crate) fn block_name(&self) -> BlockName {
        BlockName { module: address::module_path(&self.module), kind: self.type_name.to_owned(), name: self.name.to_owned() }
    }
}

/// Which attributes must not be shown.
#[derive(Debug)]
pub(crate) enum Sensitive<'n> {
    /// A tree of the same shape as the values, as `terraform show -json` writes it.
    Tree(Option<&'n Node<'n>>),
    /// Names of top-level attributes, as the state file has them.
    Names(Vec<&'n str>),
}

/// Everything that was read.
#[derive(Debug)]
pub(crate) struct Input<'n> {
    pub(crate) kind: SourceKind,
    pub(crate) managed: Vec<Instance<'n>>,
    pub(crate) data: Vec<Instance<'n>>,
    pub(crate) config: Config<'n>,
    pub(crate) gaps: Vec<Gap>,
    /// How many resources of other providers were passed over.
    pub(crate) foreign: usize,
    /// Provider to account.
    accounts: FxHashMap<String, model::AccountId>,
}

/// The configuration of a plan by module path (without keys).
#[derive(Debug, Default)]
pub(crate) struct Config<'n> {
    modules: FxHashMap<String, &'n Node<'n>>,
    /// Module path, then `aws_x.y` or `data.aws_x.y`, to the resource's configuration.
    resources: FxHashMap<String, FxHashMap<&'n str, &'n Node<'n>>>,
    providers: Option<&'n Node<'n>>,
    variables: Option<&'n Node<'n>>,
}

impl<'n> Config<'n> {
    fn new(root: &'n Node<'n>) -> Config<'n> {
        let mut config = Config {
            providers: root.at(&["configuration", "provider_config"]),
            variables: root.get("variables"),
            ..Config::default()
        };
        if let Some(module) = root.at(&["configuration", "root_module"]) {
            config.add(String::new(), module);
        }
        config
    }

    /// The reader bounds the nesting of modules.
    fn add(&mut self, path: String, module: &'n Node<'n>) {
        let resources = module.get("resources").map(Node::list).unwrap_or_default();
        self.resources.insert(path.clone(), resources.iter().map(|r| (r.text("address"), r)).collect());
        for (name, call) in module.get("module_calls").map(Node::map).unwrap_or_default() {
            if let Some(inner) = call.get("module") {
                self.add(address::join(&path, name), inner);
            }
        }
        self.modules.insert(path, module);
    }

    pub(crate) fn module(&self, path: &str) -> Option<&'n Node<'n>> {
        self.modules.get(path).copied()
    }

    pub(crate) fn resource(&self, path: &str, address: &str) -> Option<&'n Node<'n>> {
        self.resources.get(path)?.get(address).copied()
    }

    /// The value of a variable of the root module.
    pub(crate) fn variable(&self, name: &str) -> Option<&'n Node<'n>> {
        self.variables?.at(&[name, "value"])
    }

    /// The key of a resource's provider.
    fn provider<'r>(resource: Option<&'r Node<'_>>) -> &'r str {
        Some(resource.map_or("aws", |r| r.text("provider_config_key"))).filter(|key| !key.is_empty()).unwrap_or("aws")
    }

    /// The Region of a resource's provider, where it is written or a variable of the root module.
    pub(crate) fn region(&self, resource: Option<&Node<'_>>) -> Option<model::Region> {
        let region = self.providers?.get(Config::provider(resource))?.at(&["expressions", "region"])?;
        if let Some(constant) = region.get("constant_value") {
            return model::Region::new(constant.str()?).ok();
        }
        let [reference] = region.get("references")?.list() else { return None };
        let name = reference.str()?.strip_prefix("var.")?;
        model::Region::new(self.variables?.at(&[name, "value"])?.str()?).ok()
    }
}

impl Input<'_> {
    /// The account that a resource's provider works in, where something says it: the provider's own settings, the identity
    /// that it asked for, or an ARN that is known.
    pub(crate) fn account(&self, resource: Option<&Node<'_>>) -> Option<model::AccountId> {
        self.accounts.get(Config::provider(resource)).cloned()
    }

    fn find_accounts(&mut self) {
        let mut found: FxHashMap<String, model::AccountId> = FxHashMap::default();
        for (key, provider) in self.config.providers.map(Node::map).unwrap_or_default() {
            let allowed = match provider.at(&["expressions", "allowed_account_ids", "constant_value"]).map(Node::list) {
                Some([Node::Str(one)]) => model::AccountId::new(one).ok(),
                _ => None,
            };
            let roles = provider.at(&["expressions", "assume_role"]).map(Node::list).unwrap_or_default();
            let role = roles.first().and_then(|r| r.at(&["role_arn", "constant_value"])?.str());
            let role = role.and_then(|arn| model::Arn::new(arn).ok()).and_then(|arn| model::AccountId::new(arn.account()).ok());
            if let Some(account) = allowed.or(role) {
                found.insert(key.to_string(), account);
            }
        }
        let identities = self.data.iter().filter(|i| i.type_name == "aws_caller_identity").map(|i| (i, "account_id", "data."));
        for (instance, attribute, prefix) in identities.chain(self.managed.iter().map(|i| (i, "arn", ""))) {
            let text = instance.values.text(attribute);
            let account = match model::Arn::new(text) {
                Ok(arn) => model::AccountId::new(arn.account()),
                Err(_) => model::AccountId::new(text),
            };
            let block = format!("{prefix}{}.{}", instance.type_name, instance.name);
            let config = self.config.resource(&address::module_path(&instance.module), &block);
            // Without configuration, as in a state, several providers look the same.
            if let (Ok(account), Some(config)) = (account, config) {
                found.entry(Config::provider(Some(config)).to_owned()).or_insert(account);
            }
        }
        self.accounts = found;
    }
}

/// Which of the three formats a text is in, by its root.
pub(crate) fn read<'n>(root: &'n Node<'n>, limits: &Limits) -> Input<'n> {
    let mut input = Input {
        kind: SourceKind::TerraformPlan,
        managed: Vec::new(),
        data: Vec::new(),
        config: Config::new(root),
        gaps: Vec::new(),
        foreign: 0,
        accounts: FxHashMap::default(),
    };
    if let Some(version) = root.get("version") {
        input.kind = SourceKind::TerraformState;
        state_file(root, version, &mut input);
    } else if let Some(version) = root.get("format_version") {
        if root.get("resource_changes").is_some() || root.get("configuration").is_some() || root.get("planned_values").is_some() {
            input.version("plan", version, &["0.", "1."]);
            plan(root, &mut input);
        } else {
            input.kind = SourceKind::TerraformState;
            input.version("state", version, &["0.", "1."]);
            if let Some(module) = root.at(&["values", "root_module"]) {
                values(module, Pick::All, &mut input);
            }
        }
    } else {
        input.gap(
            "Terraform file",
            GapReason::Unsupported,
            "neither a plan nor a state: `format_version` and `version` are missing",
        );
    }
    input.cap(limits);
    input.find_accounts();
    input
}

impl Input<'_> {
    fn gap(&mut self, what: impl Into<String>, reason: GapReason, detail: impl Into<String>) {
        self.gaps.push(Gap::new(what, reason, detail));
    }

    fn version(&mut self, what: &str, version: &Node<'_>, known: &[&str]) {
        let text = version.str().unwrap_or_default();
        if !known.iter().any(|prefix| text.starts_with(prefix)) {
            let shown: String = text.chars().take(20).collect();
            let detail = format!("format version `{shown}` is not known; what could be recognised was read");
            let gap = Gap::new(format!("Terraform {what}"), GapReason::Unsupported, detail);
            self.gaps.push(gap.help("write it with Terraform 1.x: `terraform show -json`"));
        }
    }

    /// A limit on what an outsider controls.
    fn cap(&mut self, limits: &Limits) {
        let found = self.managed.len();
        if found > limits.resources_max {
            self.managed.truncate(limits.resources_max);
            let detail =
                format!("{found} resources, the limit `resources_max` is {}; the rest was not read", limits.resources_max);
            self.gap("Terraform resources", GapReason::Limit, detail);
        }
        self.data.truncate(limits.resources_max);
        let mut seen: FxHashSet<Text> = FxHashSet::default();
        let before = self.managed.len();
        self.managed.retain(|instance| seen.insert(instance.address.clone()));
        let twice = before - self.managed.len();
        if twice > 0 {
            let detail = format!("{twice} addresses are there again; the first of each was read");
            self.gap("Terraform resources", GapReason::Malformed, detail);
        }
        // A data source that is still to be read stands behind what it was before.
        seen.clear();
        self.data.reverse();
        self.data.retain(|instance| seen.insert(instance.address.clone()));
        self.data.reverse();
    }
}

fn is_aws(item: &Node<'_>, provider_key: &str) -> bool {
    let provider = item.text(provider_key);
    item.text("type").starts_with("aws_") && (provider.is_empty() || provider == "aws" || provider.contains("/aws"))
}

fn key(node: Option<&Node<'_>>) -> Option<Key> {
    match node? {
        Node::Int(n) => Some(Key::Int(*n)),
        Node::Str(s) => Some(Key::Str(s.to_string())),
        _ => None,
    }
}

fn plan<'n>(root: &'n Node<'n>, input: &mut Input<'n>) {
    if root.get("errored").is_some_and(Node::is_true) {
        let gap = Gap::new(
            "Terraform plan",
            GapReason::Failed,
            "Terraform ended with an error while it planned: resources may be missing",
        );
        input.gaps.push(gap.help("mend the error that `terraform plan` shows and write the plan again"));
    }
    if let Some(module) = root.at(&["prior_state", "values", "root_module"]) {
        values(module, Pick::Data, input);
    }
    let Some(changes) = root.get("resource_changes") else {
        if let Some(module) = root.at(&["planned_values", "root_module"]) {
            values(module, Pick::Planned, input);
        }
        return;
    };
    if !matches!(changes, Node::List(_) | Node::Null) {
        input.gap("Terraform plan", GapReason::Malformed, "`resource_changes` is not a list");
    }
    let mut malformed = 0;
    for item in changes.list() {
        let (Some(address), Some(change)) = (item.get("address").and_then(Node::str), item.get("change")) else {
            malformed += 1;
            continue;
        };
        if item.get("deposed").is_some_and(|d| !d.is_null()) || !stays(change) {
            continue;
        }
        if !is_aws(item, "provider_name") {
            input.foreign += usize::from(item.text("mode") != "data");
            continue;
        }
        let Some(values @ Node::Map(_)) = change.get("after") else {
            malformed += 1;
            continue;
        };
        let instance = Instance {
            address: Text::from(address),
            module: Text::from(item.text("module_address")),
            type_name: item.text("type"),
            name: item.text("name"),
            key: key(item.get("index")),
            values,
            unknown: change.get("after_unknown"),
            sensitive: Sensitive::Tree(change.get("after_sensitive")),
            omitted: false,
        };
        if item.text("mode") == "data" { input.data.push(instance) } else { input.managed.push(instance) }
    }
    input.malformed(malformed);
}

impl Input<'_> {
    fn malformed(&mut self, count: usize) {
        if count > 0 {
            self.gap(
                "Terraform resources",
                GapReason::Malformed,
                format!("{count} entries are not of the documented form and were not read"),
            );
        }
    }
}

/// True if the resource is there after the plan was carried out.
fn stays(change: &Node<'_>) -> bool {
    let actions = change.get("actions").map(Node::list).unwrap_or_default();
    let gone = actions.iter().all(|a| matches!(a.str(), Some("delete" | "forget")));
    actions.is_empty() || !gone
}

/// Which resources of a value tree are wanted.
#[derive(Clone, Copy, PartialEq)]
enum Pick {
    All,
    /// All, of a plan: those of which nothing is known have no values.
    Planned,
    Data,
}

static NO_VALUES: Node<'static> = Node::Map(Vec::new());

/// The modules of `values` or `prior_state`. The reader bounds their nesting.
fn values<'n>(module: &'n Node<'n>, pick: Pick, input: &mut Input<'n>) {
    let mut malformed = 0;
    for item in module.get("resources").map(Node::list).unwrap_or_default() {
        let data = item.text("mode") == "data";
        if pick == Pick::Data && !data || item.get("deposed_key").is_some() {
            continue;
        }
        if !is_aws(item, "provider_name") {
            input.foreign += usize::from(!data);
            continue;
        }
        let found = item.get("values").or((pick == Pick::Planned).then_some(&NO_VALUES));
        let (Some(address), Some(values @ Node::Map(_))) = (item.get("address").and_then(Node::str), found) else {
            malformed += 1;
            continue;
        };
        let instance = Instance {
            address: Text::from(address),
            module: Text::from(module.text("address")),
            type_name: item.text("type"),
            name: item.text("name"),
            key: key(item.get("index")),
            values,
            unknown: None,
            sensitive: Sensitive::Tree(item.get("sensitive_values")),
            omitted: pick == Pick::Planned,
        };
        if data { input.data.push(instance) } else { input.managed.push(instance) }
    }
    input.malformed(malformed);
    for child in module.get("child_modules").map(Node::list).unwrap_or_default() {
        values(child, pick, input);
    }
}

/// `terraform.tfstate`, version 4.
fn state_file<'n>(root: &'n Node<'n>, version: &Node<'_>, input: &mut Input<'n>) {
    if version.int() != Some(4) {
        let detail = format!("state version {} is not known, only 4 is", version.int().map_or("?".into(), |v| v.to_string()));
        let gap = Gap::new("Terraform state", GapReason::Unsupported, detail);
        return input.gaps.push(gap.help("bring it up to date with Terraform 0.12 or later, or use `terraform show -json`"));
    }
    let mut malformed = 0;
    for block in root.get("resources").map(Node::list).unwrap_or_default() {
        let data = block.text("mode") == "data";
        let instances = block.get("instances").map(Node::list).unwrap_or_default();
        if !is_aws(block, "provider") {
            input.foreign += if data { 0 } else { instances.len() };
            continue;
        }
        let (module, kind, name) = (block.text("module"), block.text("type"), block.text("name"));
        for item in instances {
            let Some(values @ Node::Map(_)) = item.get("attributes") else {
                malformed += 1;
                continue;
            };
            if item.get("deposed").is_some() {
                continue;
            }
            let key = key(item.get("index_key"));
            let local = format!("{}{}", if data { "data." } else { "" }, instance_name(kind, name, key.as_ref()));
            let instance = Instance {
                address: Text::from(address::join(module, &local)),
                module: Text::from(module),
                type_name: kind,
                name,
                key,
                values,
                unknown: None,
                sensitive: Sensitive::Names(sensitive_names(item)),
                omitted: false,
            };
            if data { input.data.push(instance) } else { input.managed.push(instance) }
        }
    }
    input.malformed(malformed);
}

fn instance_name(kind: &str, name: &str, key: Option<&Key>) -> String {
    let call = address::call(name, key);
    format!("{kind}.{}", call.strip_prefix("module.").unwrap_or(&call))
}

/// The first steps of the paths in `sensitive_attributes`.
fn sensitive_names<'n>(item: &'n Node<'n>) -> Vec<&'n str> {
    let paths = item.get("sensitive_attributes").map(Node::list).unwrap_or_default();
    paths.iter().filter_map(|path| path.list().first()?.get("value")?.str()).collect()
}
