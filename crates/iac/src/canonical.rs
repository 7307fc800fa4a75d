//! One spelling for what may be spelt in several ways.
//!
//! The protocol of a security-group rule is a name, a number or `all`; with all protocols the ports say nothing. Source: the
//! EC2 API reference, `IpPermission`.

use model::{Map, Snapshot, Text, Value};

/// Puts every resource of the snapshot into the one spelling.
pub(crate) fn canonical(snapshot: &mut Snapshot) {
    for resource in &mut snapshot.resources {
        match resource.type_name.as_str() {
            "AWS::EC2::SecurityGroup" => {
                for key in ["SecurityGroupIngress", "SecurityGroupEgress"] {
                    if let Some(Value::List(rules)) = resource.props.get_mut(key) {
                        rules.iter_mut().for_each(|rule| {
                            if let Value::Map(rule) = rule {
                                security_group_rule(rule);
                            }
                        });
                    }
                }
            }
            "AWS::EC2::SecurityGroupIngress" | "AWS::EC2::SecurityGroupEgress" => security_group_rule(&mut resource.props),
            _ => {}
        }
    }
}

fn security_group_rule(rule: &mut Map) {
    let Some(protocol) = rule.get_mut("IpProtocol") else { return };
    let text = match &*protocol {
        Value::Str(text) => text.to_ascii_lowercase(),
        Value::Int(n) => n.to_string(),
        _ => return,
    };
    let name = match &*text {
        "-1" | "all" => "-1",
        "1" => "icmp",
        "6" => "tcp",
        "17" => "udp",
        "58" => "icmpv6",
        other => other,
    };
    *protocol = Value::Str(Text::from(name));
    if name == "-1" {
        rule.remove("FromPort");
        rule.remove("ToPort");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_have_one_spelling() {
        for (written, want, ports) in [
            (Value::Int(-1), "-1", false),
            (Value::text("all"), "-1", false),
            (Value::text("6"), "tcp", true),
            (Value::Int(17), "udp", true),
            (Value::text("TCP"), "tcp", true),
            (Value::text("50"), "50", true),
        ] {
            let mut rule: Map = [("IpProtocol", written), ("FromPort", Value::Int(0)), ("ToPort", Value::Int(0))]
                .into_iter()
                .map(|(key, value)| (Text::from(key), value))
                .collect();
            security_group_rule(&mut rule);
            assert_eq!((rule.get("IpProtocol").and_then(Value::as_str), rule.contains_key("ToPort")), (Some(want), ports));
        }
    }
}
