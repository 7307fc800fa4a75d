//! Network Firewall, and gateway load balancers behind endpoints, of a scope.

use model::{Resource, Text, Value};
use serde_json::Value as Json;

use super::{Reader, member, of};
use crate::firewall::read::{UNKNOWN, group, policy};
use crate::firewall::{Firewall, FirewallPolicy};
use crate::network::{Endpoint, Link, State};

impl<'a> Reader<'a> {
    pub(super) fn firewalls(&mut self) {
        self.each("AWS::NetworkFirewall::RuleGroup", |reader, resource, id| {
            let name = named(resource, "RuleGroupName", &id);
            let mut rules = reader.plain(of(&resource.props, "RuleGroup"));
            // Terraform also takes the rules as text beside the group.
            let text = of(&resource.props, "Rules");
            if let (false, Some(map)) = (text.is_null(), rules.as_object_mut()) {
                map.insert("RulesSource".to_owned(), serde_json::json!({ "RulesString": reader.plain(text) }));
            } else if !text.is_null() {
                rules = serde_json::json!({ "RulesSource": { "RulesString": reader.plain(text) } });
            }
            reader.net.firewall_groups.push(group(id, name, &rules));
        });
        self.each("AWS::NetworkFirewall::FirewallPolicy", |reader, resource, id| {
            let plain = reader.plain(of(&resource.props, "FirewallPolicy"));
            let mut policy: FirewallPolicy = policy(id, &plain);
            for (_, link) in policy.stateless.iter_mut().chain(&mut policy.stateful) {
                *link = Link::to(reader.canonical(&link.id));
            }
            reader.net.firewall_policies.push(policy);
        });
        self.each("AWS::NetworkFirewall::Firewall", |reader, resource, id| {
            let vpc = reader.refer(of(&resource.props, "VpcId"));
            let mappings = of(&resource.props, "SubnetMappings").as_list().unwrap_or_default();
            let mut endpoints: Vec<(Text, Text)> = Vec::new();
            let subnets: Vec<Link> = mappings.iter().map(|mapping| reader.refer(member(mapping, "SubnetId"))).collect();
            for subnet in subnets {
                endpoints.push((subnet.id.clone(), reader.firewall_endpoint(&id, &vpc, &subnet, resource)));
            }
            reader.net.firewalls.push(Firewall {
                name: named(resource, "FirewallName", &id),
                policy: reader.refer(of(&resource.props, "FirewallPolicyArn")),
                vpc,
                endpoints,
                state: State::Up,
                id,
            });
        });
    }

    /// The endpoint that a firewall has in a subnet, made where the source has none of its own.
    fn firewall_endpoint(&mut self, id: &Text, vpc: &Link, subnet: &Link, resource: &Resource) -> Text {
        let zone = self.net.subnets.iter().find(|s| s.id == subnet.id).map(|s| s.zone.clone()).unwrap_or_default();
        let listed = [&resource.attrs, &resource.props].into_iter().flat_map(|map| of(map, "EndpointIds").as_list());
        let known = listed.flatten().filter_map(|entry| entry.as_str()?.split_once(':'));
        // A live account tells them by zone, as pairs.
        let synced = of(&resource.attrs, "SyncStates").as_list().unwrap_or_default().iter();
        let synced = synced.filter_map(|pair| {
            let endpoint = member(member(member(pair, "Value"), "Attachment"), "EndpointId");
            Some((member(pair, "Key").as_str()?, endpoint.as_str()?))
        });
        let own = known.chain(synced).find(|(at, _)| **at == *zone).map(|(_, endpoint)| Text::from(endpoint));
        let endpoint = own.unwrap_or_else(|| format!("{id}.{}", subnet.id).into());
        match self.net.endpoints.iter_mut().find(|e| e.id == endpoint) {
            Some(found) => found.firewall = Some(id.clone()),
            None => self.net.endpoints.push(Endpoint {
                id: endpoint.clone(),
                vpc: vpc.clone(),
                kind: "GatewayLoadBalancer".into(),
                subnets: vec![subnet.clone()],
                firewall: Some(id.clone()),
                ..Endpoint::default()
            }),
        }
        endpoint
    }

    /// The endpoint that a route means by a value that only deploy time knows: the firewall's in one of the table's zones, as
    /// far as that can be told.
    pub(super) fn endpoint_of(&self, value: &Value, subnets: &[Text]) -> Link {
        let link = self.refer(value);
        let name = match value {
            Value::Unknown(unknown) => unknown.what.split(['.', '[']).next().map(Text::from),
            Value::Link(link) => Some(link.target.clone()),
            _ => None,
        };
        let whole = if let Value::Unknown(unknown) = value { Some(unknown.what.clone()) } else { None };
        let wanted = [whole, name].into_iter().flatten().map(|name| self.canonical(&name));
        let firewall = wanted.into_iter().find_map(|id| self.net.firewalls.iter().find(|f| f.id == id || within(&f.id, value)));
        let Some(firewall) = firewall else { return link };
        let zone = |subnet: &Text| self.net.subnets.iter().find(|s| s.id == *subnet).map(|s| s.zone.clone()).unwrap_or_default();
        let zones: Vec<Text> = subnets.iter().map(zone).collect();
        let near = firewall.endpoints.iter().find(|(subnet, _)| zones.contains(&zone(subnet)));
        near.or(firewall.endpoints.first()).map(|(_, endpoint)| Link::to(endpoint.clone())).unwrap_or(link)
    }

    /// The gateway load balancer behind an endpoint's service, by its name, where the source holds the service.
    pub(super) fn inspector(&self, service: &Value) -> Option<Text> {
        let found = match service {
            Value::Mixed(parts) => parts.iter().find_map(|part| self.resource(part)),
            other => self.resource(other),
        }?;
        let balancers = self.refer_all(of(&found.props, "GatewayLoadBalancerArns"));
        balancers.first().map(|link| link.id.clone())
    }

    /// A value as JSON: a reference by its id, what isn't known as an object that says why.
    fn plain(&self, value: &Value) -> Json {
        match value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(n) => Json::from(*n),
            Value::Dec(n) => Json::from(*n),
            Value::Str(text) => Json::String(text.to_string()),
            Value::List(items) => Json::Array(items.iter().map(|item| self.plain(item)).collect()),
            Value::Map(map) => Json::Object(map.iter().map(|(key, value)| (key.to_string(), self.plain(value))).collect()),
            Value::Link(_) => Json::String(self.refer(value).id.to_string()),
            Value::Mixed(_) | Value::Unknown(_) => serde_json::json!({ UNKNOWN: super::read::why(value) }),
        }
    }
}

/// Whether what isn't known about a value is an attribute of this resource.
fn within(id: &str, value: &Value) -> bool {
    let Value::Unknown(unknown) = value else { return false };
    unknown.what.strip_prefix(id).is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn named(resource: &Resource, key: &str, id: &Text) -> Text {
    of(&resource.props, key).as_str().map_or_else(|| id.clone(), Text::from)
}
