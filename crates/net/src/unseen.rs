//! Rules that let something in that never came, by the flows that were seen.
//!
//! Only inbound rules of groups at interfaces that the flows show are judged: of the others nothing is known.

use rustc_hash::FxHashSet;

use crate::addr::Addr;
use crate::network::{GroupRule, Network, Peer};
use crate::ports::protocol;
use crate::unused::Unused;

/// A flow that was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who began it.
    pub from: Addr,
    /// Whom it reached.
    pub to: Addr,
    /// The protocol's number.
    pub protocol: u8,
    /// The port it reached; 0 for protocols without ports, and for ICMP, whose type flow logs don't tell.
    pub port: u16,
}

/// Inbound rules that none of the flows needed, in the network's order. A rule whose peer or ports aren't known is left out.
pub fn unseen(net: &Network, flows: &[Seen]) -> Vec<Unused> {
    let mut rows = Vec::new();
    for group in &net.groups {
        let members = net.interfaces.iter().filter(|i| i.groups.iter().any(|link| link.id == group.id));
        let own: FxHashSet<Addr> =
            members.flat_map(|i| &i.addresses).flat_map(|a| std::iter::once(a.private).chain(a.public)).collect();
        let into: Vec<&Seen> = flows.iter().filter(|flow| own.contains(&flow.to)).collect();
        let shown = flows.iter().any(|flow| own.contains(&flow.to) || own.contains(&flow.from));
        for rule in group.inbound.iter().filter(|rule| shown && rule.ports_unknown.is_none()) {
            let fits = |flow: &&Seen| match flow.protocol {
                // Flow logs don't tell the type.
                protocol::ICMP => !rule.ports.icmp.is_empty(),
                protocol::ICMP6 => !rule.ports.icmp6.is_empty(),
                number => rule.ports.contains(number, flow.port),
            };
            let used = into.iter().copied().filter(|flow| fits(flow)).any(|flow| lets(net, rule, flow.from));
            if !used && !matches!(rule.peer, Peer::Unknown(_)) {
                rows.push(Unused {
                    id: group.id.to_string(),
                    rule: rule.id.to_string(),
                    why: "unseen".to_owned(),
                    by: String::new(),
                });
            }
        }
    }
    rows
}

/// Whether the rule's peer has the address; what isn't known has it.
fn lets(net: &Network, rule: &GroupRule, from: Addr) -> bool {
    match &rule.peer {
        Peer::Block(block) => block.contains(from),
        Peer::Group(link) => {
            let member = |i: &&crate::network::Interface| i.groups.iter().any(|group| group.id == link.id);
            net.interfaces.iter().filter(member).any(|i| i.addresses.iter().any(|a| a.private == from))
        }
        Peer::List(link) => net
            .prefix_lists
            .iter()
            .find(|list| list.id == link.id)
            .is_none_or(|list| !list.known || list.cidrs.iter().any(|block| block.contains(from))),
        Peer::Unknown(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_nothing_came_by_is_told() {
        let answers = [
            r#"{"SecurityGroups":[{"GroupId":"sg-1","GroupName":"web","VpcId":"vpc-1","IpPermissions":[
                {"IpProtocol":"tcp","FromPort":443,"ToPort":443,"IpRanges":[{"CidrIp":"0.0.0.0/0"}]},
                {"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"192.0.2.0/24"}]}],"IpPermissionsEgress":[]}]}"#,
            r#"{"NetworkInterfaces":[{"NetworkInterfaceId":"eni-1","SubnetId":"subnet-1","VpcId":"vpc-1",
                "PrivateIpAddresses":[{"Primary":true,"PrivateIpAddress":"10.0.0.5"}],"Groups":[{"GroupId":"sg-1"}]}]}"#,
        ];
        let documents = answers.iter().map(|text| ("a.json".to_owned(), serde_json::from_str(text).unwrap()));
        let net = crate::from_aws_answers(documents);
        let seen =
            |from: &str, port| Seen { from: Addr::parse(from).unwrap(), to: Addr::parse("10.0.0.5").unwrap(), protocol: 6, port };
        let count = |flows: &[Seen]| unseen(&net, flows).len();
        assert_eq!(count(&[seen("198.51.100.1", 443)]), 1);
        assert_eq!(count(&[seen("198.51.100.1", 443), seen("192.0.2.9", 22)]), 0);
        assert_eq!(count(&[seen("198.51.100.1", 443), seen("192.0.3.9", 22)]), 1);
        assert_eq!(count(&[]), 0, "without flows nothing is known");
    }
}
