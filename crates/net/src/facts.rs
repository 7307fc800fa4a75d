//! Facts for checks: whether the internet reaches a resource, by which port, way and rule.

use model::{Resource, ResourceIndex, Snapshot, Text, Truth, Value};
use rustc_hash::FxHashMap;

use crate::addr::Family;
use crate::carry::{Packet, Walk};
use crate::exposure::{Exposed, Exposure};
use crate::network::{Network, OwnerKind};
use crate::ports::Ports;
use crate::trace::End;

/// The answer to one question about exposure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Whether it is so.
    pub truth: Truth,
    /// For true: the way, as text with arrows; else empty.
    pub path: String,
    /// For true: the rule that lets the traffic in; else empty.
    pub rule: Text,
    /// For unknown: what is missing. Never empty then.
    pub reasons: Vec<Text>,
}

impl Fact {
    fn no() -> Fact {
        Fact { truth: Truth::False, path: String::new(), rule: "".into(), reasons: Vec::new() }
    }

    fn unknown(reason: impl Into<Text>) -> Fact {
        Fact { truth: Truth::Unknown, path: String::new(), rule: "".into(), reasons: vec![reason.into()] }
    }
}

/// One way by which the internet reaches a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Protocols and ports as the resource sees them.
    pub ports: Ports,
    /// From everywhere, rather than from some addresses only.
    pub anywhere: bool,
    /// The sources as blocks, at most ten.
    pub sources: Vec<String>,
    /// The way, as text with arrows.
    pub path: String,
    /// The rule that lets the traffic in.
    pub rule: Text,
    /// Why it is not certain; empty if it is.
    pub unknown: Vec<Text>,
}

/// The network facts of a snapshot.
pub struct NetFacts {
    networks: Vec<Network>,
    places: FxHashMap<ResourceIndex, Place>,
    ways: FxHashMap<(usize, usize), Vec<Exposed>>,
}

/// Where a resource is found in its network.
struct Place {
    network: usize,
    interfaces: Vec<usize>,
    subnet: Option<usize>,
    /// For a security group, or a rule of one: the group's id, and why its members are not known, if so.
    group: Option<(Text, Option<Text>)>,
    /// For a rule that is a resource of its own: its id.
    rule: Option<Text>,
}

impl NetFacts {
    /// Builds the networks of all scopes and finds what the internet reaches.
    pub fn new(snapshot: &Snapshot) -> NetFacts {
        let mut facts = NetFacts { networks: Vec::new(), places: FxHashMap::default(), ways: FxHashMap::default() };
        let mut by_scope = FxHashMap::default();
        for (scopes, network) in crate::from_snapshot(snapshot) {
            by_scope.extend(scopes.into_iter().map(|scope| (scope, facts.networks.len())));
            let mut exposure = Exposure::default();
            for at in 0..network.interfaces.len() {
                let rows = exposure.of(&network, at);
                if !rows.is_empty() {
                    facts.ways.insert((facts.networks.len(), at), rows);
                }
            }
            facts.networks.push(network);
        }
        let members = members(&facts.networks);
        for (index, resource) in snapshot.iter() {
            let Some(network) = by_scope.get(&resource.scope).copied() else { continue };
            if let Some(net) = facts.networks.get(network) {
                let code = snapshot.scope(resource.scope).is_none_or(|s| s.kind.is_code());
                let id = if code { resource.id.clone() } else { crate::snapshot::physical_id(resource) };
                let subnet = (resource.type_name.as_str() == "AWS::EC2::Subnet")
                    .then(|| net.subnets.iter().position(|s| s.id == id))
                    .flatten();
                let group = group_of(resource, &id);
                let interfaces = match &group {
                    Some(group) => members.get(&(network, group.clone())).cloned().unwrap_or_default(),
                    None if crate::snapshot::owns_interfaces(resource.type_name.as_str()) => net.interfaces_of(&id).to_vec(),
                    None => Vec::new(),
                };
                let unknown = if interfaces.is_empty() {
                    Some("no interface in this source has the group".into())
                } else {
                    unread(snapshot)
                };
                let kind = resource.type_name.as_str();
                if !code && interfaces.is_empty() && crate::snapshot::only_before_deploy(kind) {
                    continue;
                }
                let group = group.map(|id| (id, unknown));
                let rule = (resource.type_name.as_str() == "AWS::EC2::SecurityGroupIngress").then_some(id);
                facts.places.insert(index, Place { network, interfaces, subnet, group, rule });
            }
        }
        facts
    }

    /// Whether the internet (at least one public address) reaches the resource by TCP or UDP at this port.
    pub fn exposed(&self, resource: ResourceIndex, port: u16) -> Fact {
        self.exposed_by(resource, &Ports::tcp(port, port).or(&Ports::udp(port, port)))
    }

    /// The same for a set of protocols and ports.
    pub fn exposed_by(&self, resource: ResourceIndex, ports: &Ports) -> Fact {
        self.judge(resource, ports, |_| true)
    }

    /// Whether every public address of a family reaches the resource at one of these ports: "open to the world".
    pub fn open_to_world(&self, resource: ResourceIndex, ports: &Ports) -> Fact {
        self.judge(resource, ports, |row| crate::addr::internet(row.family).minus(&row.sources).is_empty())
    }

    /// All ways by which the internet reaches, or may reach, the resource. Empty for one it doesn't reach.
    pub fn exposure(&self, resource: ResourceIndex) -> Vec<Way> {
        let Some(place) = self.places.get(&resource) else { return Vec::new() };
        let Some(net) = self.networks.get(place.network) else { return Vec::new() };
        let rows = place.interfaces.iter().filter_map(|at| self.ways.get(&(place.network, *at))).flatten();
        rows.map(|row| way(net, row)).collect()
    }

    /// The ways by which the internet reaches the resource at any port, as text: the proof of a true answer.
    pub fn exposed_at_all(&self, resource: ResourceIndex) -> Fact {
        self.judge(resource, &Ports::full(), |_| true)
    }

    /// Whether a subnet is public by proof: what is sent from it to the internet leaves by an internet gateway, unless refused
    /// by what only applies to single interfaces. Of what has interfaces: whether one of their subnets is.
    pub fn public_subnet(&self, resource: ResourceIndex) -> Fact {
        let Some(place) = self.places.get(&resource) else { return Fact::unknown("the resource isn't part of a network") };
        let Some(net) = self.networks.get(place.network) else { return Fact::no() };
        if let Some(at) = place.subnet {
            return public_subnet(net, at);
        }
        let of = |at: &usize| match net.interface(*at).subnet.at {
            Some(subnet) => public_subnet(net, subnet),
            None => Fact::unknown(format!("subnet {} isn't in the snapshot", net.interface(*at).subnet.id)),
        };
        strongest(place.interfaces.iter().map(of)).unwrap_or_else(|| Fact::unknown("no interface of the resource is known"))
    }

    fn judge(&self, resource: ResourceIndex, ports: &Ports, counts: impl Fn(&Exposed) -> bool) -> Fact {
        let Some(place) = self.places.get(&resource) else { return Fact::unknown("the resource isn't part of a network") };
        let Some(net) = self.networks.get(place.network) else { return Fact::no() };
        // Of a group's members only what the group (or the rule) itself lets in counts; what a balancer brings always does.
        let by = |row: &Exposed| {
            let rule = place.rule.as_ref().is_none_or(|rule| row.rule == *rule || row.rule.is_empty() || row.via.is_some());
            rule && place.group.as_ref().is_none_or(|(id, _)| row.group == *id || row.group.is_empty() || row.via.is_some())
        };
        let one = |at: usize| {
            let rows = self.ways.get(&(place.network, at)).into_iter().flatten();
            let rows: Vec<&Exposed> = rows.filter(|row| row.ports.meets(ports) && counts(row) && by(row)).collect();
            match rows.iter().find(|row| row.unknown.is_empty()) {
                Some(row) => {
                    let way = way(net, row);
                    Fact { truth: Truth::True, path: way.path, rule: row.rule.clone(), reasons: Vec::new() }
                }
                None => match rows.first() {
                    Some(row) => Fact { truth: Truth::Unknown, reasons: row.unknown.clone(), ..Fact::no() },
                    None => Fact::no(),
                },
            }
        };
        let several = place.group.is_none() && place.interfaces.iter().any(|at| net.interface(*at).perhaps);
        let facts: Vec<Fact> = place.interfaces.iter().map(|at| one(*at)).collect();
        if several && facts.iter().any(|f| f.truth != Truth::True) && facts.iter().any(|f| f.truth == Truth::True) {
            return Fact::unknown("it depends on which of its subnets it is placed in");
        }
        let best = strongest(facts.into_iter());
        let best = best.unwrap_or_else(Fact::no);
        let hidden = || place.interfaces.iter().find_map(|at| net.perhaps_behind(*at, ports, true));
        match (best.truth, &place.group) {
            (Truth::False, Some((_, Some(reason)))) => Fact::unknown(reason.clone()),
            (Truth::False, _) => hidden().map_or(best, Fact::unknown),
            _ => best,
        }
    }
}

/// Of several facts a true one, else one that isn't known.
fn strongest(facts: impl Iterator<Item = Fact>) -> Option<Fact> {
    facts.max_by_key(|fact| match fact.truth {
        Truth::True => 2,
        Truth::Unknown => 1,
        Truth::False => 0,
    })
}

/// The group that a resource is, or is a rule of.
fn group_of(resource: &Resource, id: &Text) -> Option<Text> {
    match resource.type_name.as_str() {
        "AWS::EC2::SecurityGroup" => Some(id.clone()),
        "AWS::EC2::SecurityGroupIngress" => match resource.prop("GroupId") {
            Value::Str(text) => Some(text.clone()),
            Value::Link(link) => Some(link.target.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// The interfaces that have a group, by network and group.
fn members(networks: &[Network]) -> FxHashMap<(usize, Text), Vec<usize>> {
    let mut members: FxHashMap<(usize, Text), Vec<usize>> = FxHashMap::default();
    for (network, net) in networks.iter().enumerate() {
        for (at, interface) in net.interfaces.iter().enumerate() {
            for group in &interface.groups {
                members.entry((network, group.id.clone())).or_default().push(at);
            }
        }
    }
    members
}

/// Why not all interfaces are known, if some could not be read.
fn unread(snapshot: &Snapshot) -> Option<Text> {
    let interfaces =
        |gap: &&model::Gap| gap.matters && gap.type_name.as_ref().is_some_and(|t| t.as_str() == "AWS::EC2::NetworkInterface");
    snapshot.gaps.iter().find(interfaces).map(|gap| format!("network interfaces could not be read: {}", gap.detail).into())
}

/// Whether what is sent from a subnet to the internet leaves by an internet gateway.
pub(crate) fn public_subnet(net: &Network, at: usize) -> Fact {
    let mut open = Vec::new();
    for (family, probe) in [(Family::V4, "8.8.8.8"), (Family::V6, "2001:4860:4860::8888")] {
        let Some(cidr) = net.subnet(at).cidrs.iter().find(|c| c.family == family) else { continue };
        let Some(dst) = crate::addr::Addr::parse(probe) else { continue };
        let packet = Packet { src: cidr.nth(4), dst, src_within: None, dst_within: None };
        let mut walk = Walk::new(net, packet);
        let end = walk.route_from(at);
        let broken = [crate::code::BAD_STATE_ATTACHMENT, crate::code::BAD_STATE_ROUTE];
        let gateway = walk.trace.steps.iter().any(|s| s.component == "internet-gateway")
            && !walk.trace.steps.iter().any(|s| broken.contains(&s.code));
        let nat = walk.trace.steps.iter().any(|s| s.component == "nat-gateway");
        let table = walk.trace.steps.iter().find(|s| s.component == "route-table");
        if gateway && !nat {
            open.push(table.map(|s| format!("{} {}", s.id, s.rule)).unwrap_or_default());
        }
        let reasons: Vec<Text> =
            walk.trace.steps.iter().filter_map(|s| s.filter.as_ref()).flat_map(|f| f.reasons.clone()).collect();
        if end == End::Lost && !reasons.is_empty() && !gateway {
            return Fact { truth: Truth::Unknown, reasons, ..Fact::no() };
        }
    }
    match open.into_iter().next() {
        Some(path) => Fact { truth: Truth::True, rule: path.as_str().into(), path, reasons: Vec::new() },
        None => Fact::no(),
    }
}

fn way(net: &Network, row: &Exposed) -> Way {
    let sources = row.sources.cidrs(row.family, 10).iter().map(ToString::to_string).collect();
    let anywhere = crate::addr::internet(row.family).minus(&row.sources).is_empty();
    Way {
        ports: row.ports.clone(),
        anywhere,
        sources,
        path: path_text(net, row),
        rule: row.rule.clone(),
        unknown: row.unknown.clone(),
    }
}

/// `internet -> igw-1 -> eni-1 (sg-1: rule)`; with the balancer in front where there is one.
pub fn path_text(net: &Network, row: &Exposed) -> String {
    path_parts(net, row).join(" -> ")
}

/// The same, component by component.
pub(crate) fn path_parts(net: &Network, row: &Exposed) -> Vec<String> {
    let interface = net.interface(row.interface);
    let gateway = interface.vpc.at.and_then(|v| net.vpc(v).igw).map(|g| net.gateway(g).id.to_string());
    let mut parts = vec!["internet".to_owned(), gateway.unwrap_or_else(|| "internet gateway".to_owned())];
    if let Some((balancer, ports)) = &row.via {
        parts.push(format!("{} ({ports})", net.balancer(*balancer).name));
    }
    let owner = if interface.owner.id.is_empty() { &interface.id } else { &interface.owner.id };
    let name = net.balancer_of(row.interface).map_or(owner, |at| &net.balancer(at).name);
    let rule = if row.rule.is_empty() { String::new() } else { format!(" by {}", row.rule) };
    let public =
        row.public.filter(|_| !interface.addresses.iter().any(|a| a.public_loose)).map(|p| format!(" {p}")).unwrap_or_default();
    let kind = if interface.owner.kind == OwnerKind::Service { format!("{} ", interface.owner.service) } else { String::new() };
    parts.push(format!("{kind}{name}{public} ({}){rule}", row.ports));
    parts
}

/// True if checks may ask for the exposure of this resource.
pub fn owns_interfaces(resource: &Resource) -> bool {
    crate::snapshot::owns_interfaces(resource.type_name.as_str())
}

#[cfg(test)]
mod tests {
    use model::{SourceKind, TypeName, from_json};
    use serde_json::json;

    use super::*;

    /// A template: resources as `{name: [type, properties]}`; `{"$ref": "X.Attr"}` is a link, `{"$unknown": "P"}` an unknown.
    fn template(resources: serde_json::Value) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope("t.yaml", SourceKind::CloudFormation);
        for (name, entry) in resources.as_object().unwrap() {
            let mut resource = Resource::new(name.as_str(), TypeName::new(entry[0].as_str().unwrap()).unwrap(), scope);
            if let Value::Map(props) = linked(from_json(&entry[1])) {
                resource.props = props;
            }
            snapshot.resources.push(resource);
        }
        snapshot
    }

    fn linked(value: Value) -> Value {
        match value {
            Value::Map(map) if map.contains_key("$ref") => {
                let text = map.get("$ref").unwrap().as_str().unwrap().to_owned();
                let (target, attr) = text.split_once('.').unwrap_or((&text, ""));
                Value::link(target, attr)
            }
            Value::Map(map) if map.contains_key("$unknown") => {
                Value::unknown_present(model::Reason::NoDefaultParameter, map.get("$unknown").unwrap().as_str().unwrap())
            }
            Value::Map(map) => Value::Map(map.into_iter().map(|(k, v)| (k, linked(v))).collect()),
            Value::List(items) => Value::List(items.into_iter().map(linked).collect()),
            other => other,
        }
    }

    /// One VPC with a public subnet, and an instance with a group that lets SSH in from `source`.
    fn base(source: serde_json::Value) -> serde_json::Value {
        json!({
            "Vpc": ["AWS::EC2::VPC", {"CidrBlock": "10.0.0.0/16"}],
            "Subnet": ["AWS::EC2::Subnet", {"VpcId": {"$ref": "Vpc"}, "CidrBlock": "10.0.1.0/24", "MapPublicIpOnLaunch": true}],
            "Igw": ["AWS::EC2::InternetGateway", {}],
            "Attach": ["AWS::EC2::VPCGatewayAttachment", {"VpcId": {"$ref": "Vpc"}, "InternetGatewayId": {"$ref": "Igw"}}],
            "Table": ["AWS::EC2::RouteTable", {"VpcId": {"$ref": "Vpc"}}],
            "Route": ["AWS::EC2::Route", {"RouteTableId": {"$ref": "Table"}, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": {"$ref": "Igw"}}],
            "Assoc": ["AWS::EC2::SubnetRouteTableAssociation", {"SubnetId": {"$ref": "Subnet"}, "RouteTableId": {"$ref": "Table"}}],
            "Group": ["AWS::EC2::SecurityGroup", {"VpcId": {"$ref": "Vpc"}, "GroupDescription": "x",
                "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": source}]}],
            "Web": ["AWS::EC2::Instance", {"SubnetId": {"$ref": "Subnet"}, "SecurityGroupIds": [{"$ref": "Group.GroupId"}]}],
        })
    }

    fn ask(snapshot: &Snapshot, name: &str, port: u16) -> Fact {
        let at = snapshot.resources.iter().position(|r| &*r.id == name).unwrap();
        NetFacts::new(snapshot).exposed(ResourceIndex(at as u32), port)
    }

    #[test]
    fn an_instance_in_a_public_subnet() {
        let snapshot = template(base(json!("0.0.0.0/0")));
        let fact = ask(&snapshot, "Web", 22);
        assert_eq!(fact.truth, Truth::True);
        assert_eq!(fact.path, "internet -> Igw -> Web (tcp/22) by Group ingress tcp/22 0.0.0.0/0");
        assert_eq!(ask(&snapshot, "Web", 23).truth, Truth::False);
        let subnet = snapshot.resources.iter().position(|r| &*r.id == "Subnet").unwrap();
        assert_eq!(NetFacts::new(&snapshot).public_subnet(ResourceIndex(subnet as u32)).truth, Truth::True);
    }

    #[test]
    fn an_open_group_is_exposed_only_where_a_member_is_reached() {
        let mut all = base(json!("0.0.0.0/0"));
        assert_eq!(ask(&template(all.clone()), "Group", 22).truth, Truth::True);
        assert_eq!(ask(&template(all.clone()), "Group", 23).truth, Truth::False);
        all["Rule"] = json!(["AWS::EC2::SecurityGroupIngress",
            {"GroupId": {"$ref": "Group.GroupId"}, "IpProtocol": "tcp", "FromPort": 23, "ToPort": 23, "CidrIp": "0.0.0.0/0"}]);
        assert_eq!(ask(&template(all.clone()), "Rule", 23).truth, Truth::True);
        assert_eq!(ask(&template(all.clone()), "Rule", 22).truth, Truth::False, "another rule lets that in");
        let mut private = all.clone();
        private["Subnet"][1]["MapPublicIpOnLaunch"] = json!(false);
        assert_eq!(ask(&template(private), "Group", 22).truth, Truth::False);
        all.as_object_mut().unwrap().remove("Web");
        assert_eq!(ask(&template(all), "Group", 22).truth, Truth::Unknown, "another template may use it");
    }

    #[test]
    fn each_missing_piece_closes_it() {
        for missing in ["Attach", "Route", "Assoc"] {
            let mut all = base(json!("0.0.0.0/0"));
            all.as_object_mut().unwrap().remove(missing);
            assert_eq!(ask(&template(all), "Web", 22).truth, Truth::False, "{missing}");
        }
        let mut private = base(json!("0.0.0.0/0"));
        private["Subnet"][1]["MapPublicIpOnLaunch"] = json!(false);
        assert_eq!(ask(&template(private), "Web", 22).truth, Truth::False);
        assert_eq!(ask(&template(base(json!("10.0.0.0/8"))), "Web", 22).truth, Truth::False);
    }

    #[test]
    fn what_is_not_known_before_deploy_is_unknown() {
        let fact = ask(&template(base(json!({"$unknown": "AdminCidr"}))), "Web", 22);
        assert_eq!(fact.truth, Truth::Unknown);
        assert!(fact.reasons[0].contains("AdminCidr"), "{:?}", fact.reasons);
        let mut all = base(json!("0.0.0.0/0"));
        all["Web"][1]["SubnetId"] = json!({"$unknown": "SubnetParam"});
        assert_eq!(ask(&template(all), "Web", 22).truth, Truth::Unknown);
        let mut all = base(json!("0.0.0.0/0"));
        all["Web"][1]["SecurityGroupIds"] = json!([{"$unknown": "GroupParam"}]);
        assert_eq!(ask(&template(all), "Web", 22).truth, Truth::Unknown);
        let mut all = base(json!("0.0.0.0/0"));
        all["Vpc"][1]["CidrBlock"] = json!({"$unknown": "VpcCidr"});
        all["Subnet"][1]["CidrBlock"] = json!({"$unknown": "SubnetCidr"});
        assert_eq!(ask(&template(all), "Web", 22).truth, Truth::True, "the block itself does not matter here");
    }

    /// A live account lists the interfaces of these services without saying whose they are.
    #[test]
    fn of_what_a_live_account_does_not_list_as_its_own_nothing_is_known() {
        let mut all = base(json!("10.0.0.0/8"));
        all["Tasks"] =
            json!(["AWS::RedshiftServerless::Workgroup", {"SubnetIds": [{"$ref": "Subnet"}], "PubliclyAccessible": false}]);
        let mut snapshot = template(all);
        assert_eq!(ask(&snapshot, "Tasks", 5439).truth, Truth::False);
        snapshot.scopes[0].kind = SourceKind::Live;
        assert_eq!(ask(&snapshot, "Tasks", 5439).truth, Truth::Unknown);
        assert_eq!(ask(&snapshot, "Web", 22).truth, Truth::False);
    }

    #[test]
    fn a_target_behind_a_balancer_is_reached_on_its_own_port() {
        let mut all = base(json!("10.0.0.0/16"));
        let extra = json!({
            "Front": ["AWS::EC2::SecurityGroup", {"VpcId": {"$ref": "Vpc"},
                "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}]}],
            "Alb": ["AWS::ElasticLoadBalancingV2::LoadBalancer", {"Subnets": [{"$ref": "Subnet"}], "SecurityGroups": [{"$ref": "Front"}]}],
            "Listener": ["AWS::ElasticLoadBalancingV2::Listener", {"LoadBalancerArn": {"$ref": "Alb"}, "Port": 443, "Protocol": "HTTPS",
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"$ref": "Targets"}}]}],
            "Targets": ["AWS::ElasticLoadBalancingV2::TargetGroup", {"Port": 8080, "Protocol": "HTTP", "VpcId": {"$ref": "Vpc"},
                "Targets": [{"Id": {"$ref": "App"}}]}],
            "Private": ["AWS::EC2::Subnet", {"VpcId": {"$ref": "Vpc"}, "CidrBlock": "10.0.2.0/24"}],
            "AppGroup": ["AWS::EC2::SecurityGroup", {"VpcId": {"$ref": "Vpc"},
                "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "SourceSecurityGroupId": {"$ref": "Front"}}]}],
            "App": ["AWS::EC2::Instance", {"SubnetId": {"$ref": "Private"}, "SecurityGroupIds": [{"$ref": "AppGroup"}]}],
        });
        for (key, value) in extra.as_object().unwrap() {
            all[key] = value.clone();
        }
        let snapshot = template(all.clone());
        assert_eq!(ask(&snapshot, "Alb", 443).truth, Truth::True);
        assert_eq!(ask(&snapshot, "Alb", 80).truth, Truth::False);
        let fact = ask(&snapshot, "App", 8080);
        assert_eq!(fact.truth, Truth::True);
        assert_eq!(fact.path, "internet -> Igw -> Alb (tcp/443) -> App (tcp/8080) by Front ingress tcp/443 0.0.0.0/0");
        assert_eq!(ask(&snapshot, "App", 443).truth, Truth::False);
        all["Alb"][1]["Scheme"] = json!("internal");
        assert_eq!(ask(&template(all), "App", 8080).truth, Truth::False);
    }

    #[test]
    fn a_public_database_needs_its_subnets_to_be_public() {
        let mut all = base(json!("0.0.0.0/0"));
        let extra = json!({
            "Names": ["AWS::RDS::DBSubnetGroup", {"SubnetIds": [{"$ref": "Subnet"}]}],
            "DbGroup": ["AWS::EC2::SecurityGroup", {"VpcId": {"$ref": "Vpc"},
                "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIp": "0.0.0.0/0"}]}],
            "Db": ["AWS::RDS::DBInstance", {"DBSubnetGroupName": {"$ref": "Names"}, "PubliclyAccessible": true,
                "VPCSecurityGroups": [{"$ref": "DbGroup"}]}],
        });
        for (key, value) in extra.as_object().unwrap() {
            all[key] = value.clone();
        }
        assert_eq!(ask(&template(all.clone()), "Db", 5432).truth, Truth::True);
        let mut closed = all.clone();
        closed["Db"][1]["PubliclyAccessible"] = json!(false);
        assert_eq!(ask(&template(closed), "Db", 5432).truth, Truth::False);
        all["Private"] = json!(["AWS::EC2::Subnet", {"VpcId": {"$ref": "Vpc"}, "CidrBlock": "10.0.2.0/24"}]);
        all["Names"][1]["SubnetIds"] = json!([{"$ref": "Subnet"}, {"$ref": "Private"}]);
        let fact = ask(&template(all), "Db", 5432);
        assert_eq!((fact.truth, fact.reasons.len()), (Truth::Unknown, 1));
    }

    /// The same account as a live collection gives it: physical ids, main table and default ACL by their own word.
    #[test]
    fn a_live_account() {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope("live", SourceKind::Live);
        let all = json!({
            "vpc-1": ["AWS::EC2::VPC", {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}],
            "subnet-1": ["AWS::EC2::Subnet", {"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"}],
            "igw-1": ["AWS::EC2::InternetGateway", {"InternetGatewayId": "igw-1"}],
            "igw-1|vpc-1": ["AWS::EC2::VPCGatewayAttachment", {"InternetGatewayId": "igw-1", "VpcId": "vpc-1"}],
            "rtb-1": ["AWS::EC2::RouteTable", {"RouteTableId": "rtb-1", "VpcId": "vpc-1"}],
            "rtb-1|0": ["AWS::EC2::Route", {"RouteTableId": "rtb-1", "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}],
            "rtb-1|1": ["AWS::EC2::Route", {"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}],
            "rtbassoc-1": ["AWS::EC2::SubnetRouteTableAssociation", {"RouteTableId": "rtb-1", "Main": true}],
            "acl-1": ["AWS::EC2::NetworkAcl", {"VpcId": "vpc-1", "IsDefault": true}],
            "acl-1|in": ["AWS::EC2::NetworkAclEntry",
                {"NetworkAclId": "acl-1", "RuleNumber": 100, "Protocol": -1, "RuleAction": "allow", "Egress": false, "CidrBlock": "0.0.0.0/0"}],
            "acl-1|out": ["AWS::EC2::NetworkAclEntry",
                {"NetworkAclId": "acl-1", "RuleNumber": 100, "Protocol": -1, "RuleAction": "allow", "Egress": true, "CidrBlock": "0.0.0.0/0"}],
            "sg-1": ["AWS::EC2::SecurityGroup", {"GroupId": "sg-1", "VpcId": "vpc-1",
                "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]}],
            "eni-1": ["AWS::EC2::NetworkInterface", {"Id": "eni-1", "SubnetId": "subnet-1", "PrivateIpAddress": "10.0.1.5",
                "GroupSet": ["sg-1"], "PublicIp": "3.3.3.3", "InstanceId": "i-1"}],
            "arn:aws:ec2:eu-west-1:111122223333:instance/i-1": ["AWS::EC2::Instance", {"InstanceId": "i-1", "SubnetId": "subnet-1",
                "SecurityGroupIds": ["sg-1"], "NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1"}]}],
        });
        for (name, entry) in all.as_object().unwrap() {
            let mut resource = Resource::new(name.as_str(), TypeName::new(entry[0].as_str().unwrap()).unwrap(), scope);
            if let Value::Map(props) = from_json(&entry[1]) {
                resource.props = props;
            }
            snapshot.resources.push(resource);
        }
        let fact = ask(&snapshot, "arn:aws:ec2:eu-west-1:111122223333:instance/i-1", 22);
        assert_eq!(fact.truth, Truth::True, "{fact:?}");
        assert_eq!(fact.path, "internet -> igw-1 -> i-1 3.3.3.3 (tcp/22) by sg-1 ingress tcp/22 0.0.0.0/0");
        assert_eq!(ask(&snapshot, "eni-1", 22).truth, Truth::True);
        snapshot.resources.retain(|r| r.type_name.as_str() != "AWS::EC2::NetworkInterface");
        let instance = snapshot.resources.last_mut().unwrap();
        instance.attrs.insert("PublicIp", Value::text("3.3.3.3"));
        if let Value::Map(props) = from_json(&json!({"NetworkInterfaces": [
            {"NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "GroupSet": ["sg-1"], "AssociatePublicIpAddress": true}]}))
        {
            instance.props.insert("NetworkInterfaces", props.get("NetworkInterfaces").unwrap().clone());
        }
        assert_eq!(ask(&snapshot, "arn:aws:ec2:eu-west-1:111122223333:instance/i-1", 22).truth, Truth::True);
    }
}
