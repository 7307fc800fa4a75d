//! Reachability in Terraform plans: what AWS makes along with a VPC, and parts that are resources of their own.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

/// A plan of resources `TYPE.NAME: attributes`; text that begins with `@` is a reference, known after apply.
fn plan(resources: &Value) -> Value {
    let (mut planned, mut changes, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for (address, attributes) in resources.as_object().unwrap() {
        let (kind, name) = address.split_once('.').unwrap();
        let (mut values, mut unknown, mut expressions) = (Map::new(), Map::new(), Map::new());
        unknown.insert("id".into(), true.into());
        for (key, value) in attributes.as_object().unwrap() {
            let (known, open, expression) = split(value);
            if !known.is_null() {
                values.insert(key.clone(), known);
            }
            unknown.insert(key.clone(), open);
            expressions.insert(key.clone(), expression);
        }
        let head = json!({ "address": address, "mode": "managed", "type": kind, "name": name, "provider_name": "registry.terraform.io/hashicorp/aws" });
        let with = |key: &str, value: Value| {
            let mut all = head.clone();
            all.as_object_mut().unwrap().insert(key.into(), value);
            all
        };
        planned.push(with("values", values.clone().into()));
        changes.push(with("change", json!({ "actions": ["create"], "before": null, "after": values, "after_unknown": unknown })));
        written.push(with("expressions", expressions.into()));
    }
    json!({
        "format_version": "1.2", "terraform_version": "1.9.0", "planned_values": { "root_module": { "resources": planned } },
        "resource_changes": changes, "configuration": { "root_module": { "resources": written } },
    })
}

/// A value as a plan has it: what is known, what is not, and how it was written.
fn split(value: &Value) -> (Value, Value, Value) {
    let reference = |text: &str| text.strip_prefix('@').map(str::to_owned);
    match value {
        Value::String(text) => match reference(text) {
            Some(path) => (Value::Null, true.into(), json!({ "references": [path] })),
            None => (value.clone(), false.into(), json!({ "constant_value": value })),
        },
        Value::Array(items) if items.iter().any(Value::is_string) => {
            let references: Vec<String> = items.iter().filter_map(|item| reference(item.as_str()?)).collect();
            match references.is_empty() {
                true => (value.clone(), false.into(), json!({ "constant_value": value })),
                false => (Value::Null, true.into(), json!({ "references": references })),
            }
        }
        Value::Array(items) => {
            let parts: Vec<_> = items.iter().map(split).collect();
            let pick = |of: fn(&(Value, Value, Value)) -> &Value| parts.iter().map(|part| of(part).clone()).collect::<Value>();
            (pick(|part| &part.0), pick(|part| &part.1), pick(|part| &part.2))
        }
        Value::Object(members) => {
            let (mut known, mut open, mut written) = (Map::new(), Map::new(), Map::new());
            for (key, member) in members {
                let (value, unknown, expression) = split(member);
                if !value.is_null() {
                    known.insert(key.clone(), value);
                }
                open.insert(key.clone(), unknown);
                written.insert(key.clone(), expression);
            }
            (known.into(), open.into(), written.into())
        }
        _ => (value.clone(), false.into(), json!({ "constant_value": value })),
    }
}

/// What the internet reaches, as `owner ports`, sorted.
fn exposed(resources: &Value) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("plan.json"), plan(resources).to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(["net", "exposure", "plan.json", "--format", "json"]).current_dir(dir.path()).env_clear().stdin(Stdio::null());
    let output = command.output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).unwrap().to_owned();
    let told = |row: &Value| {
        let sure = row.get("unknown") == Some(&json!([]));
        format!("{} {}{}", text(row, "owner"), text(row, "ports"), if sure { "" } else { " perhaps" })
    };
    let rows = answer.pointer("/networks/0/exposure").and_then(Value::as_array).unwrap();
    let mut all: Vec<String> = rows.iter().map(told).collect();
    all.sort();
    all
}

/// Adds resources to others.
fn with(base: &Value, more: Value) -> Value {
    let mut all = base.clone();
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

fn rule(port: u16) -> Value {
    json!([{ "protocol": "tcp", "from_port": port, "to_port": port, "cidr_blocks": ["0.0.0.0/0"] }])
}

/// A VPC with a gateway, and a subnet that no table or ACL names.
fn base() -> Value {
    json!({
        "aws_vpc.v": { "cidr_block": "10.0.0.0/16" },
        "aws_internet_gateway.g": { "vpc_id": "@aws_vpc.v.id" },
        "aws_subnet.s": { "vpc_id": "@aws_vpc.v.id", "cidr_block": "10.0.1.0/24", "map_public_ip_on_launch": true },
        "aws_security_group.web": { "vpc_id": "@aws_vpc.v.id", "ingress": rule(80) },
        "aws_security_group.ssh": { "vpc_id": "@aws_vpc.v.id", "ingress": rule(22) },
    })
}

fn instance(group: &str) -> Value {
    json!({ "subnet_id": "@aws_subnet.s.id", "ami": "ami-1", "instance_type": "t3.micro", "vpc_security_group_ids": [format!("@{group}.id")] })
}

#[test]
fn what_a_plan_takes_over_from_a_vpc_is_what_the_vpc_has() {
    let out = json!([{ "cidr_block": "0.0.0.0/0", "gateway_id": "@aws_internet_gateway.g.id" }]);
    let table =
        json!({ "aws_default_route_table.d": { "default_route_table_id": "@aws_vpc.v.default_route_table_id", "route": out } });
    let base = with(&base(), json!({ "aws_instance.i": instance("aws_security_group.web") }));
    assert_eq!(exposed(&base), [""; 0], "the main table leads nowhere");
    let routed = with(&base, table);
    assert_eq!(exposed(&routed), ["aws_instance.i tcp/80"]);
    let bare = json!({ "subnet_id": "@aws_subnet.s.id", "ami": "ami-1", "instance_type": "t3.micro" });
    let group = json!({
        "aws_instance.bare": bare,
        "aws_default_security_group.d": { "vpc_id": "@aws_vpc.v.id", "ingress": rule(23) },
    });
    let grouped = with(&routed, group);
    assert_eq!(exposed(&grouped), ["aws_instance.bare tcp/23", "aws_instance.i tcp/80"]);
    let line = |port: u16| json!([{ "protocol": "-1", "rule_no": port, "action": "allow", "cidr_block": "0.0.0.0/0", "from_port": 0, "to_port": 0 }]);
    let only = json!([{ "protocol": "tcp", "rule_no": 1, "action": "allow", "cidr_block": "0.0.0.0/0", "from_port": 23, "to_port": 23 }]);
    let acl = json!({ "aws_default_network_acl.d": { "default_network_acl_id": "@aws_vpc.v.default_network_acl_id", "ingress": only, "egress": line(1) } });
    assert_eq!(exposed(&with(&grouped, acl)), ["aws_instance.bare tcp/23"]);
}

#[test]
fn another_main_table_takes_the_place_of_the_first() {
    let main = json!({
        "aws_route_table.m": { "vpc_id": "@aws_vpc.v.id" },
        "aws_route.out": { "route_table_id": "@aws_route_table.m.id", "destination_cidr_block": "0.0.0.0/0", "gateway_id": "@aws_internet_gateway.g.id" },
        "aws_main_route_table_association.m": { "vpc_id": "@aws_vpc.v.id", "route_table_id": "@aws_route_table.m.id" },
        "aws_instance.i": instance("aws_security_group.web"),
    });
    assert_eq!(exposed(&with(&base(), main)), ["aws_instance.i tcp/80"]);
}

#[test]
fn a_default_vpc_has_a_way_out() {
    let resources = json!({
        "aws_default_vpc.v": {},
        "aws_default_subnet.s": { "availability_zone": "eu-west-1a", "map_public_ip_on_launch": true },
        "aws_security_group.web": { "vpc_id": "@aws_default_vpc.v.id", "ingress": rule(80) },
        "aws_instance.i": json!({ "subnet_id": "@aws_default_subnet.s.id", "ami": "ami-1", "instance_type": "t3.micro", "vpc_security_group_ids": ["@aws_security_group.web.id"] }),
    });
    assert_eq!(exposed(&resources), ["aws_instance.i tcp/80"]);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("plan.json"), plan(&resources).to_string()).unwrap();
    let mut reach = Command::new(env!("CARGO_BIN_EXE_palisade"));
    reach.args(["net", "reach", "internet", "aws_instance.i", "tcp/80", "--input", "plan.json"]).current_dir(dir.path());
    let told = String::from_utf8(reach.env_clear().stdin(Stdio::null()).output().unwrap().stdout).unwrap();
    assert!(told.contains("taken to be as AWS makes them"), "what was not read is told as an assumption: {told}");
    // Its default group was there before, and may let in anything.
    let bare =
        json!({ "aws_instance.bare": { "subnet_id": "@aws_default_subnet.s.id", "ami": "ami-1", "instance_type": "t3.micro" } });
    assert!(exposed(&with(&resources, bare)).iter().any(|row| row.starts_with("aws_instance.bare") && row.ends_with("perhaps")));
}

#[test]
fn a_main_table_of_elsewhere_is_not_known() {
    let resources = json!({
        "aws_main_route_table_association.m": { "vpc_id": "@aws_vpc.v.id", "route_table_id": "rtb-0123456789abcdef0" },
        "aws_instance.i": instance("aws_security_group.web"),
    });
    assert_eq!(exposed(&with(&base(), resources)), ["aws_instance.i tcp/80 perhaps"]);
}

#[test]
fn parts_that_are_resources_of_their_own_count() {
    let out = json!([{ "cidr_block": "0.0.0.0/0", "gateway_id": "@aws_internet_gateway.g.id" }]);
    let routed = with(
        &base(),
        json!({ "aws_default_route_table.d": { "default_route_table_id": "@aws_vpc.v.default_route_table_id", "route": out } }),
    );
    let primary = json!({
        "aws_instance.i": instance("aws_security_group.web"),
        "aws_network_interface_sg_attachment.i": { "security_group_id": "@aws_security_group.ssh.id", "network_interface_id": "@aws_instance.i.primary_network_interface_id" },
    });
    assert_eq!(exposed(&with(&routed, primary)), ["aws_instance.i tcp/22", "aws_instance.i tcp/80"]);
    let second = json!({
        "aws_instance.i": instance("aws_security_group.web"),
        "aws_network_interface.n": { "subnet_id": "@aws_subnet.s.id", "security_groups": ["@aws_security_group.ssh.id"] },
        "aws_network_interface_attachment.n": { "network_interface_id": "@aws_network_interface.n.id", "instance_id": "@aws_instance.i.id", "device_index": 1 },
        "aws_eip.n": { "network_interface": "@aws_network_interface.n.id" },
    });
    assert_eq!(exposed(&with(&routed, second)), ["aws_instance.i tcp/22", "aws_instance.i tcp/80"]);
    let list = json!({
        "aws_ec2_managed_prefix_list.p": { "name": "p", "address_family": "IPv4", "max_entries": 5 },
        "aws_ec2_managed_prefix_list_entry.p": { "prefix_list_id": "@aws_ec2_managed_prefix_list.p.id", "cidr": "198.51.100.0/24" },
        "aws_security_group.listed": { "vpc_id": "@aws_vpc.v.id" },
        "aws_security_group_rule.listed": { "type": "ingress", "security_group_id": "@aws_security_group.listed.id", "prefix_list_ids": ["@aws_ec2_managed_prefix_list.p.id"], "protocol": "tcp", "from_port": 3306, "to_port": 3306 },
        "aws_instance.i": instance("aws_security_group.listed"),
    });
    assert_eq!(exposed(&with(&routed, list)), ["aws_instance.i tcp/3306"]);
}
