//! Network Firewall, and what stands behind gateway load balancer endpoints.

use model::{Gap, GapReason, Text};
use serde_json::Value;

use super::Staging;
use super::read::{list, or_empty, text};
use crate::firewall::{Firewall, FirewallGroup, FirewallPolicy, read};
use crate::network::{Endpoint, Link, State};

/// The last part of an ARN.
fn tail(arn: &str) -> Text {
    arn.rsplit('/').next().unwrap_or(arn).into()
}

impl Staging {
    /// `describe-firewall`, or an element of `Firewalls`: the same, or no more than name and ARN.
    pub(super) fn firewall(&mut self, item: &Value) {
        if let Some(inner) = item.get("Firewall") {
            return self.described_firewall(inner, item.get("FirewallStatus").unwrap_or(&Value::Null));
        }
        match text(item, "FirewallPolicyArn") {
            Some(_) => self.described_firewall(item, &Value::Null),
            None => {
                let Some(id) = text(item, "FirewallArn") else {
                    return self.malformed("Firewalls", "an element has no FirewallArn");
                };
                self.net.firewalls.push(Firewall { name: tail(&id), id, ..Firewall::default() });
            }
        }
    }

    fn described_firewall(&mut self, item: &Value, status: &Value) {
        let Some(id) = text(item, "FirewallArn").or_else(|| text(item, "FirewallName")) else {
            return self.malformed("Firewall", "it has no FirewallArn");
        };
        let vpc = Link::to(or_empty(item, "VpcId"));
        let mut endpoints = Vec::new();
        for zone in status.get("SyncStates").and_then(Value::as_object).into_iter().flat_map(|zones| zones.values()) {
            let Some(attachment) = zone.get("Attachment") else { continue };
            let (subnet, endpoint) = (or_empty(attachment, "SubnetId"), or_empty(attachment, "EndpointId"));
            if endpoint.is_empty() {
                continue;
            }
            let word = text(attachment, "Status");
            let state = match word.as_deref() {
                None | Some("READY") => State::Up,
                Some(word) => State::Down(word.into()),
            };
            self.firewall_endpoints.push(Endpoint {
                id: endpoint.clone(),
                vpc: vpc.clone(),
                kind: "GatewayLoadBalancer".into(),
                subnets: vec![Link::to(subnet.clone())],
                state,
                firewall: Some(id.clone()),
                ..Endpoint::default()
            });
            endpoints.push((subnet, endpoint));
        }
        for mapping in list(item, "SubnetMappings") {
            let subnet = or_empty(mapping, "SubnetId");
            if !endpoints.iter().any(|(known, _)| *known == subnet) {
                endpoints.push((subnet, "".into()));
            }
        }
        // What describes it counts before what only names it.
        self.net.firewalls.insert(
            0,
            Firewall {
                name: text(item, "FirewallName").unwrap_or_else(|| tail(&id)),
                vpc,
                policy: text(item, "FirewallPolicyArn").map(Link::to).unwrap_or_default(),
                endpoints,
                state: State::Up,
                id,
            },
        );
    }

    /// `describe-firewall-policy`, or an element of `FirewallPolicies`.
    pub(super) fn firewall_policy(&mut self, item: &Value) {
        let about = item.get("FirewallPolicyResponse").unwrap_or(item);
        let arn = ["FirewallPolicyArn", "Arn"].iter().find_map(|key| text(about, key));
        match (arn, item.get("FirewallPolicy")) {
            (Some(arn), Some(policy)) => self.net.firewall_policies.insert(0, read::policy(arn, policy)),
            (Some(arn), None) => {
                let unknown = Some(format!("the policy {} isn't in the snapshot", tail(&arn)).into());
                self.net.firewall_policies.push(FirewallPolicy { id: arn, unknown, ..FirewallPolicy::default() });
            }
            (None, _) => self.nameless("FirewallPolicy", "FirewallPolicyResponse"),
        }
    }

    /// `describe-rule-group`, or an element of `RuleGroups`.
    pub(super) fn firewall_group(&mut self, item: &Value) {
        let about = item.get("RuleGroupResponse").unwrap_or(item);
        let arn = ["RuleGroupArn", "Arn"].iter().find_map(|key| text(about, key));
        match (arn, item.get("RuleGroup")) {
            (Some(arn), Some(group)) => {
                let name = ["RuleGroupName", "Name"].iter().find_map(|key| text(about, key)).unwrap_or_else(|| tail(&arn));
                self.net.firewall_groups.insert(0, read::group(arn, name, group));
            }
            (Some(arn), None) => {
                let unknown = Some(format!("the rules of {} aren't in the snapshot", tail(&arn)).into());
                self.net.firewall_groups.push(FirewallGroup { name: tail(&arn), id: arn, unknown, ..FirewallGroup::default() });
            }
            (None, _) => self.nameless("RuleGroup", "RuleGroupResponse"),
        }
    }

    fn nameless(&mut self, key: &str, about: &str) {
        let detail = format!("the answer does not say which one it is: its `{about}` is missing");
        let gap = Gap::new(key, GapReason::Unsupported, detail).in_file(self.label.as_str(), None);
        self.net.gaps.push(gap.help("keep the whole answer of the `describe` call"));
    }

    /// A service of one's own behind endpoints: gateway load balancers, or network ones.
    pub(super) fn endpoint_service(&mut self, item: &Value) {
        let arns = ["GatewayLoadBalancerArns", "NetworkLoadBalancerArns"].iter().flat_map(|key| list(item, key));
        let names: Vec<&str> = arns.filter_map(Value::as_str).collect();
        if let (Some(name), false) = (text(item, "ServiceName"), names.is_empty()) {
            self.endpoint_services.insert(name, names.join(", ").into());
        }
    }

    /// Endpoints of firewalls that no other answer lists, and what the others lead to.
    pub(super) fn join_firewalls(&mut self) {
        for made in std::mem::take(&mut self.firewall_endpoints) {
            match self.net.endpoints.iter_mut().find(|endpoint| endpoint.id == made.id) {
                Some(endpoint) => endpoint.firewall = made.firewall,
                None => self.net.endpoints.push(made),
            }
        }
        for endpoint in self.net.endpoints.iter_mut().filter(|endpoint| endpoint.firewall.is_none()) {
            endpoint.firewall = self.endpoint_services.get(&endpoint.service).cloned();
        }
    }
}
