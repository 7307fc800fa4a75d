//! What has network interfaces: instances, databases, functions, clusters and other services of a scope.

use model::{Resource, Text, Value};

use super::read::{flag, tags, why};
use super::{Public, Reader, member, of};
use crate::addr::Addr;
use crate::network::{Interface, Link, Owner, OwnerKind};
use crate::planes::{Kind, Told};

/// Where a service's resource names its subnets, groups and public access: property paths.
struct Service {
    type_name: &'static str,
    service: &'static str,
    /// A list of subnets, or one subnet.
    subnets: &'static str,
    /// A property that names a subnet group resource, whose `SubnetIds` count then.
    subnet_group: &'static str,
    groups: &'static str,
    /// The property that says whether there is a public address, and what its absence means.
    public: Option<(&'static str, bool)>,
    /// A live account lists its interfaces with words that do not tell whose they are: there it has none by itself.
    before_deploy: bool,
}

const fn service(type_name: &'static str, service: &'static str, subnets: &'static str, groups: &'static str) -> Service {
    Service { type_name, service, subnets, subnet_group: "", groups, public: None, before_deploy: false }
}

impl Service {
    const fn in_group(self, property: &'static str) -> Service {
        Service { subnet_group: property, ..self }
    }

    const fn public(self, property: &'static str, by_default: bool) -> Service {
        Service { public: Some((property, by_default)), ..self }
    }

    const fn before_deploy(self) -> Service {
        Service { before_deploy: true, ..self }
    }
}

/// Services by type. A service whose property for public access is absent here never has a public address.
const SERVICES: &[Service] = &[
    service("AWS::RDS::DBInstance", "rds", "", "VPCSecurityGroups")
        .in_group("DBSubnetGroupName")
        .public("PubliclyAccessible", true),
    service("AWS::Redshift::Cluster", "redshift", "", "VpcSecurityGroupIds")
        .in_group("ClusterSubnetGroupName")
        .public("PubliclyAccessible", false),
    service("AWS::DMS::ReplicationInstance", "dms", "", "VpcSecurityGroupIds")
        .in_group("ReplicationSubnetGroupIdentifier")
        .public("PubliclyAccessible", true),
    service("AWS::AmazonMQ::Broker", "mq", "SubnetIds", "SecurityGroups").public("PubliclyAccessible", false),
    service(
        "AWS::ECS::Service",
        "ecs",
        "NetworkConfiguration.AwsvpcConfiguration.Subnets",
        "NetworkConfiguration.AwsvpcConfiguration.SecurityGroups",
    )
    .public("NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp", false),
    service(
        "AWS::ECS::TaskSet",
        "ecs",
        "NetworkConfiguration.AwsVpcConfiguration.Subnets",
        "NetworkConfiguration.AwsVpcConfiguration.SecurityGroups",
    )
    .public("NetworkConfiguration.AwsVpcConfiguration.AssignPublicIp", false),
    service("AWS::Neptune::DBInstance", "neptune", "", "VpcSecurityGroupIds")
        .in_group("DBSubnetGroupName")
        .public("PubliclyAccessible", false),
    service("AWS::ElastiCache::CacheCluster", "elasticache", "", "VpcSecurityGroupIds").in_group("CacheSubnetGroupName"),
    service("AWS::ElastiCache::ReplicationGroup", "elasticache", "", "SecurityGroupIds").in_group("CacheSubnetGroupName"),
    service("AWS::Neptune::DBCluster", "neptune", "", "VpcSecurityGroupIds").in_group("DBSubnetGroupName"),
    service("AWS::DocDB::DBCluster", "docdb", "", "VpcSecurityGroupIds").in_group("DBSubnetGroupName"),
    service("AWS::Lambda::Function", "lambda", "VpcConfig.SubnetIds", "VpcConfig.SecurityGroupIds"),
    service("AWS::OpenSearchService::Domain", "opensearch", "VPCOptions.SubnetIds", "VPCOptions.SecurityGroupIds"),
    service("AWS::Elasticsearch::Domain", "opensearch", "VPCOptions.SubnetIds", "VPCOptions.SecurityGroupIds"),
    service("AWS::EFS::MountTarget", "efs", "SubnetId", "SecurityGroups"),
    service("AWS::EKS::Cluster", "eks", "ResourcesVpcConfig.SubnetIds", "ResourcesVpcConfig.SecurityGroupIds"),
    service("AWS::MSK::Cluster", "msk", "BrokerNodeGroupInfo.ClientSubnets", "BrokerNodeGroupInfo.SecurityGroups")
        .public("BrokerNodeGroupInfo.ConnectivityInfo.PublicAccess.Type", false),
    service("AWS::RedshiftServerless::Workgroup", "redshift-serverless", "SubnetIds", "SecurityGroupIds")
        .public("PubliclyAccessible", false)
        .before_deploy(),
    service("AWS::DAX::Cluster", "dax", "", "SecurityGroupIds").in_group("SubnetGroupName").before_deploy(),
    service("AWS::MemoryDB::Cluster", "memorydb", "", "SecurityGroupIds").in_group("SubnetGroupName").before_deploy(),
    service("AWS::RDS::DBProxy", "rds", "VpcSubnetIds", "VpcSecurityGroupIds").before_deploy(),
    service("AWS::ElastiCache::ServerlessCache", "elasticache", "SubnetIds", "SecurityGroupIds").before_deploy(),
    service("AWS::FSx::FileSystem", "fsx", "SubnetIds", "SecurityGroupIds").before_deploy(),
    service("AWS::MWAA::Environment", "airflow", "NetworkConfiguration.SubnetIds", "NetworkConfiguration.SecurityGroupIds")
        .before_deploy(),
    service("AWS::SageMaker::NotebookInstance", "sagemaker", "SubnetId", "SecurityGroupIds").before_deploy(),
    service("AWS::Transfer::Server", "transfer", "EndpointDetails.SubnetIds", "EndpointDetails.SecurityGroupIds").before_deploy(),
];

/// Types whose interfaces a live account lists with words that do not tell whose they are.
pub(crate) fn only_before_deploy(type_name: &str) -> bool {
    SERVICES.iter().any(|s| s.type_name == type_name && s.before_deploy)
}

/// Resource types that may own interfaces: what a finding about reachability can name.
pub(crate) fn owns_interfaces(type_name: &str) -> bool {
    const OTHERS: &[&str] = &[
        "AWS::EC2::Instance",
        "AWS::EC2::NetworkInterface",
        "AWS::AutoScaling::AutoScalingGroup",
        "AWS::EC2::VPCEndpoint",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancing::LoadBalancer",
    ];
    OTHERS.contains(&type_name) || SERVICES.iter().any(|s| s.type_name == type_name)
}

impl<'a> Reader<'a> {
    pub(super) fn owners(&mut self) {
        self.each("AWS::EC2::NetworkInterface", Reader::network_interface);
        self.each("AWS::EC2::NetworkInterfaceAttachment", |reader, resource, _| {
            let part = |key: &str| reader.refer(of(&resource.props, key)).id;
            let (interface, instance) = (part("NetworkInterfaceId"), part("InstanceId"));
            if let Some(interface) = reader.net.interfaces.iter_mut().find(|i| i.id == interface) {
                interface.owner = Owner { kind: OwnerKind::Instance, service: "ec2".into(), id: instance };
            }
        });
        self.each("AWS::EC2::Instance", Reader::instance);
        self.each("AWS::AutoScaling::AutoScalingGroup", Reader::scaling_group);
        for kind in SERVICES {
            self.each(kind.type_name, |reader, resource, id| reader.service(kind, resource, id));
        }
    }

    /// Adds an interface in a subnet.
    pub(super) fn interface(&mut self, id: Text, owner: Owner, subnet: &Link, groups: &[Link], public: &Public) {
        let holder = if owner.kind == OwnerKind::Instance { owner.id.clone() } else { id.clone() };
        let (addresses, public_unknown) = self.place(subnet, None, public, &holder);
        let mut interface = Interface {
            id,
            owner,
            subnet: subnet.clone(),
            addresses,
            public_unknown,
            source_dest_check: Some(true),
            ..Interface::default()
        };
        self.grouped(&mut interface, groups);
        self.net.interfaces.push(interface);
    }

    /// Sets an interface's groups: the VPC's default one if none is named; words instead of an id mean an unknown.
    pub(super) fn grouped(&mut self, interface: &mut Interface, groups: &[Link]) {
        let unknown = groups.iter().find(|g| g.id.starts_with('`'));
        interface.groups_unknown = unknown.map(|g| format!("a security group of {} isn't known: {}", interface.id, g.id).into());
        interface.groups = groups.iter().filter(|g| !g.id.starts_with('`')).cloned().collect();
        if groups.is_empty() {
            let vpc = self.net.subnets.iter().find(|s| s.id == interface.subnet.id).map(|s| s.vpc.id.clone());
            interface.groups = vec![self.default_group(&vpc.unwrap_or_else(|| "the VPC".into()))];
        }
    }

    fn network_interface(&mut self, resource: &'a Resource, id: Text) {
        let (props, attrs) = (&resource.props, &resource.attrs);
        let subnet = self.refer(of(props, "SubnetId"));
        let given = ["PrivateIpAddress", "PrimaryPrivateIpAddress"];
        let given = given.iter().find_map(|key| Addr::parse(of(props, key).as_str().or(of(attrs, key).as_str())?));
        let instance = [props, attrs].iter().map(|map| self.refer(of(map, "InstanceId")).id).find(|id| !id.is_empty());
        let live = !self.kind.is_code();
        let words = |key: &str| of(props, key).as_str().unwrap_or_default();
        let owner = match instance {
            Some(instance) => Owner { kind: OwnerKind::Instance, service: "ec2".into(), id: instance },
            None if live => crate::answers::owner_by_words(words("Description"), words("InterfaceType")),
            None => Owner { kind: OwnerKind::Interface, service: "ec2".into(), id: id.clone() },
        };
        let public = ["PublicIp", "PublicIpAddress", "AssociationPublicIp"];
        let public = public.iter().find_map(|key| Addr::parse(of(attrs, key).as_str().or(of(props, key).as_str())?));
        if let Some(public) = public {
            self.elastic.insert(id.clone(), Some(public));
        }
        let (mut addresses, _) = self.place(&subnet, given, &Public::No, &id);
        if given.is_some() && !self.kind.is_code() {
            addresses.retain(|a| a.within.is_none());
        }
        let exact = |private, public| crate::network::Address { private, public, within: None, public_loose: false };
        for entry in of(props, "PrivateIpAddresses").as_list().unwrap_or_default() {
            let part = |key: &str| member(entry, key).as_str().and_then(Addr::parse);
            let Some(private) = part("PrivateIpAddress") else { continue };
            match addresses.iter_mut().find(|a| a.private == private) {
                Some(known) => known.public = known.public.or(part("PublicIp")),
                None => addresses.push(exact(private, part("PublicIp"))),
            }
        }
        let six = of(props, "Ipv6Addresses").as_list().unwrap_or_default().iter();
        let six: Vec<Addr> =
            six.filter_map(|entry| member(entry, "Ipv6Address").as_str().or(entry.as_str()).and_then(Addr::parse)).collect();
        if !six.is_empty() {
            addresses.retain(|a| a.private.family == crate::addr::Family::V4);
            addresses.extend(six.into_iter().map(|addr| exact(addr, Some(addr).filter(|a| crate::addr::is_internet(*a)))));
        }
        let check = flag(of(props, "SourceDestCheck")).ok().flatten().or(Some(true));
        let mut interface =
            Interface { id, owner, subnet, addresses, source_dest_check: check, tags: tags(resource), ..Interface::default() };
        let groups = self.refer_all(of(props, "GroupSet"));
        interface.ungrouped = live && groups.is_empty();
        if !interface.ungrouped {
            self.grouped(&mut interface, &groups);
        }
        self.used.extend(interface.addresses.iter().map(|a| a.private));
        self.listed.insert(interface.id.clone());
        self.net.interfaces.push(interface);
    }

    fn instance(&mut self, resource: &'a Resource, id: Text) {
        let props = &resource.props;
        let owner = Owner { kind: OwnerKind::Instance, service: "ec2".into(), id: id.clone() };
        let before = self.net.interfaces.iter().any(|i| i.owner == owner);
        if before && !self.kind.is_code() {
            return;
        }
        let top_subnet = self.refer(of(props, "SubnetId"));
        let mut top_groups = self.refer_all(of(props, "SecurityGroupIds"));
        top_groups.extend(self.refer_all(of(props, "SecurityGroups")));
        let first = self.net.interfaces.len();
        if let (false, Some(addr)) = (self.kind.is_code(), of(&resource.attrs, "PublicIp").as_str().and_then(Addr::parse)) {
            self.elastic.entry(id.clone()).or_insert(Some(addr));
        }
        match of(props, "NetworkInterfaces") {
            Value::List(items) if !items.is_empty() => {
                for (n, item) in items.iter().enumerate() {
                    self.inline_interface(&owner, n, item, &top_subnet, &top_groups);
                }
            }
            _ => {
                let public = self.launch_public(&top_subnet, &Value::Null);
                let given = Addr::parse(
                    of(props, "PrivateIpAddress").as_str().or(of(&resource.attrs, "PrivateIp").as_str()).unwrap_or_default(),
                );
                if let Some(addr) = of(&resource.attrs, "PublicIp").as_str().and_then(Addr::parse) {
                    self.elastic.entry(id.clone()).or_insert(Some(addr));
                }
                let subnet = if top_subnet.is_none() { Link::to("the default VPC's subnet") } else { top_subnet };
                let (addresses, public_unknown) = self.place(&subnet, given, &public, &id);
                let mut interface = Interface {
                    id: format!("{id}.eth0").into(),
                    owner,
                    subnet,
                    addresses,
                    public_unknown,
                    ..Interface::default()
                };
                interface.source_dest_check = flag(of(props, "SourceDestCheck")).ok().flatten().or(Some(true));
                self.grouped(&mut interface, &top_groups);
                self.net.interfaces.push(interface);
            }
        }
        for interface in self.net.interfaces.iter_mut().skip(first) {
            interface.tags = tags(resource);
        }
    }

    /// An entry of an instance's `NetworkInterfaces`: an interface of its own, or one that is defined elsewhere.
    fn inline_interface(&mut self, owner: &Owner, n: usize, item: &Value, subnet: &Link, groups: &[Link]) {
        let existing = self.refer(member(item, "NetworkInterfaceId"));
        let defined = self.net.interfaces.iter().any(|i| i.id == existing.id);
        if !existing.is_none() && (defined || self.kind.is_code()) {
            let elastic = self.elastic.get(&owner.id).copied();
            let stand_in = self.stand_in_public();
            if let Some(interface) = self.net.interfaces.iter_mut().find(|i| i.id == existing.id) {
                interface.owner = owner.clone();
                if let (Some(address), Some(public), 0) = (interface.addresses.first_mut(), elastic, n) {
                    address.public = Some(public.unwrap_or(stand_in));
                    address.public_loose = public.is_none();
                }
            }
            return;
        }
        let own = self.refer(member(item, "SubnetId"));
        let subnet = if own.is_none() { subnet.clone() } else { own };
        let mut all = self.refer_all(member(item, "GroupSet"));
        all.extend(self.refer_all(member(item, "Groups")));
        if all.is_empty() {
            all.extend(groups.iter().cloned());
        }
        let public = self.launch_public(&subnet, member(item, "AssociatePublicIpAddress"));
        let given = Addr::parse(member(item, "PrivateIpAddress").as_str().unwrap_or_default());
        let (addresses, public_unknown) = self.place(&subnet, given, &public, &owner.id);
        let mut interface = Interface {
            id: format!("{}.eth{n}", owner.id).into(),
            owner: owner.clone(),
            subnet,
            addresses,
            public_unknown,
            source_dest_check: Some(true),
            ..Interface::default()
        };
        self.grouped(&mut interface, &all);
        self.net.interfaces.push(interface);
    }

    /// Whether something launched into a subnet gets a public address: by its own word, else by the subnet's.
    fn launch_public(&self, subnet: &Link, own: &Value) -> Public {
        match flag(own) {
            Ok(Some(true)) => return Public::Yes,
            Ok(Some(false)) => return Public::No,
            Err(reason) => return Public::Unknown(format!("whether it gets a public address isn't known: {reason}").into()),
            Ok(None) => {}
        }
        if !self.kind.is_code() {
            return Public::No;
        }
        match self.net.subnets.iter().find(|s| s.id == subnet.id) {
            None if subnet.is_none() => Public::Yes,
            None => Public::Unknown(format!("whether {} gives public addresses isn't known", subnet.id).into()),
            Some(found) => match found.public_on_launch {
                Some(true) => Public::Yes,
                Some(false) => Public::No,
                None => Public::Unknown(format!("whether {} gives public addresses isn't known", subnet.id).into()),
            },
        }
    }

    fn scaling_group(&mut self, resource: &'a Resource, id: Text) {
        if !self.kind.is_code() {
            return;
        }
        let props = &resource.props;
        let owner = Owner { kind: OwnerKind::Instance, service: "autoscaling".into(), id: id.clone() };
        let launch = self.resource(of(props, "LaunchConfigurationName"));
        let template = of(props, "LaunchTemplate");
        let by_id = [member(template, "LaunchTemplateId"), member(template, "LaunchTemplateName")];
        let template = by_id.iter().find_map(|v| self.resource(v));
        let groups;
        let mut own = Value::Null;
        if let Some(launch) = launch {
            groups = self.refer_all(of(&launch.props, "SecurityGroups"));
            own = of(&launch.props, "AssociatePublicIpAddress").clone();
        } else if let Some(template) = template {
            let data = of(&template.props, "LaunchTemplateData");
            let mut named = self.refer_all(member(data, "SecurityGroupIds"));
            if let Some(first) = member(data, "NetworkInterfaces").as_list().and_then(|l| l.first()) {
                named.extend(self.refer_all(member(first, "Groups")));
                own = member(first, "AssociatePublicIpAddress").clone();
            }
            groups = named;
        } else {
            groups = vec![Link::to("`the launch template's groups` (not part of this source)")];
        }
        for subnet in self.refer_all(of(props, "VPCZoneIdentifier")) {
            let public = self.launch_public(&subnet, &own);
            self.interface(format!("{id}.{}", subnet.id).into(), owner.clone(), &subnet, &groups, &public);
        }
    }

    /// What AWS puts on the internet for a service's resource, whatever its interfaces.
    fn plane(&mut self, resource: &Resource, id: &str) {
        let told = |path: &str, default: bool| match flag(resource.prop(path)) {
            Ok(on) if on.unwrap_or(default) => Told::Public,
            Ok(_) => Told::Private,
            Err(reason) => Told::Unknown(format!("{path} isn't known: {reason}")),
        };
        let mut sources = Vec::new();
        let (kind, told) = match resource.type_name.as_str() {
            "AWS::RDS::DBInstance" => (Kind::Database, told("PubliclyAccessible", false)),
            "AWS::Redshift::Cluster" => (Kind::Warehouse, told("PubliclyAccessible", false)),
            "AWS::EKS::Cluster" => {
                let blocks = resource.prop("ResourcesVpcConfig.PublicAccessCidrs").as_list().unwrap_or_default();
                sources.extend(blocks.iter().map(|block| block.as_str().map_or_else(|| why(block).to_string(), str::to_owned)));
                (Kind::Cluster, told("ResourcesVpcConfig.EndpointPublicAccess", true))
            }
            "AWS::OpenSearchService::Domain" | "AWS::Elasticsearch::Domain" => match resource.prop("VPCOptions") {
                Value::Null => (Kind::SearchDomain, Told::Public),
                Value::Map(_) | Value::List(_) => (Kind::SearchDomain, Told::Private),
                other => (Kind::SearchDomain, Told::Unknown(format!("VPCOptions isn't known: {}", why(other)))),
            },
            _ => return,
        };
        self.net.plane(id, kind, told, sources);
    }

    /// The subnet group of a resource. Of groups of one name it is that of the resource's own service: a name means nothing beyond.
    fn subnet_group(&self, of: &Resource, named: &Value) -> Option<&'a Resource> {
        let Value::Str(name) = named else { return self.resource(named) };
        let groups = self.resources.iter().copied().filter(|r| r.type_name.as_str().ends_with("SubnetGroup"));
        let mut found = groups.filter(|r| r.scope == self.scope && super::read::names(r).contains(name)).peekable();
        let first = found.peek().copied();
        found.find(|r| r.type_name.service() == of.type_name.service()).or(first)
    }

    fn service(&mut self, kind: &Service, resource: &'a Resource, id: Text) {
        if kind.before_deploy && !self.kind.is_code() {
            return;
        }
        self.plane(resource, &id);
        let mut subnets = match kind.subnets {
            "" => Vec::new(),
            path => self.refer_all(resource.prop(path)),
        };
        let mut groups = self.refer_all(resource.prop(kind.groups));
        if !kind.subnet_group.is_empty() {
            let cluster =
                self.resource(of(&resource.props, "DBClusterIdentifier")).filter(|_| matches!(kind.service, "rds" | "neptune"));
            let mut named = resource.prop(kind.subnet_group);
            if let Some(cluster) = cluster {
                groups.extend(self.refer_all(of(&cluster.props, "VpcSecurityGroupIds")));
                named = if named.is_null() { of(&cluster.props, "DBSubnetGroupName") } else { named };
            }
            let own = self.refer_all(of(&resource.props, "SubnetIds"));
            subnets = match (named, self.subnet_group(resource, named)) {
                _ if !own.is_empty() => own,
                (_, Some(group)) => self.refer_all(of(&group.props, "SubnetIds")),
                (Value::Null, None) => vec![Link::to("the default VPC's subnet")],
                (other, None) => vec![Link::to(format!("subnets of group {}", self.refer(other).id))],
            };
        }
        let public = match kind.public {
            None => Public::No,
            Some((path, default)) => match flag(resource.prop(path)) {
                Ok(on) if on.unwrap_or(default && self.kind.is_code()) => Public::Yes,
                Ok(_) => Public::No,
                Err(_) => Public::Unknown(format!("{path} isn't known: {}", why(resource.prop(path))).into()),
            },
        };
        let owner = Owner { kind: OwnerKind::Service, service: kind.service.into(), id: id.clone() };
        let here = |i: &Interface| i.owner == owner && subnets.iter().any(|subnet| subnet.id == i.subnet.id);
        if self.net.interfaces.iter().any(here) {
            return;
        }
        let several = subnets.len() > 1 && matches!(kind.service, "rds" | "redshift" | "dms");
        for subnet in subnets {
            self.interface(format!("{id}.{}", subnet.id).into(), owner.clone(), &subnet, &groups, &public);
            if let Some(interface) = self.net.interfaces.last_mut() {
                interface.perhaps = several;
                interface.tags = tags(resource);
            }
        }
    }
}
