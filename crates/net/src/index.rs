//! Turning lists into a network: references resolved, implied facts filled in, look-up tables built.

use model::{Gap, GapReason, Text};
use rustc_hash::FxHashMap;

use crate::addr::Cidr;
use crate::network::{Destination, Joined, Link, Network, OwnerKind, Peer, Route, State, Target, TransitRoute};

/// More rules than this in one direction of a group or ACL are cut off, with a gap, and what hangs on them is unknown. AWS lets
/// an interface have 1,000 group rules at most, and an ACL 40 lines (Amazon VPC quotas).
pub(crate) const DIRECTION_RULES_MAX: usize = 5_000;

/// Positions by id, one map for each list that is referred to.
struct Positions {
    vpcs: FxHashMap<Text, usize>,
    subnets: FxHashMap<Text, usize>,
    tables: FxHashMap<Text, usize>,
    acls: FxHashMap<Text, usize>,
    groups: FxHashMap<Text, usize>,
    interfaces: FxHashMap<Text, usize>,
    gateways: FxHashMap<Text, usize>,
    nats: FxHashMap<Text, usize>,
    peerings: FxHashMap<Text, usize>,
    transits: FxHashMap<Text, usize>,
    transit_tables: FxHashMap<Text, usize>,
    vpn_gateways: FxHashMap<Text, usize>,
    vpns: FxHashMap<Text, usize>,
    endpoints: FxHashMap<Text, usize>,
    prefix_lists: FxHashMap<Text, usize>,
    firewall_policies: FxHashMap<Text, usize>,
    firewall_groups: FxHashMap<Text, usize>,
}

fn positions<T>(list: &[T], id: impl Fn(&T) -> &Text) -> FxHashMap<Text, usize> {
    let mut map = FxHashMap::default();
    for (at, item) in list.iter().enumerate() {
        map.entry(id(item).clone()).or_insert(at);
    }
    map
}

fn resolve(link: &mut Link, map: &FxHashMap<Text, usize>) {
    link.at = map.get(&link.id).copied();
}

/// Drops later elements with an id that was there before: two files of one folder may repeat an answer.
fn unique<T>(list: &mut Vec<T>, id: impl Fn(&T) -> Text) {
    let mut seen = rustc_hash::FxHashSet::default();
    list.retain(|item| seen.insert(id(item)));
}

impl Network {
    /// Resolves references, fills in what follows from them, and builds the look-up tables. To be called once, by builders,
    /// when all lists are there.
    pub fn finish(mut self) -> Network {
        self.deduplicate();
        self.cut_rules();
        let positions = self.positions();
        self.resolve_places(&positions);
        self.resolve_routes(&positions);
        self.resolve_rules(&positions);
        self.resolve_transit(&positions);
        self.resolve_services(&positions);
        self.assign_tables();
        self.assign_acls();
        self.attach_gateways();
        self.index_routes();
        self.index_transit();
        self.index_interfaces();
        self.order_acls();
        self.index_balancers();
        self
    }

    fn deduplicate(&mut self) {
        unique(&mut self.vpcs, |x| x.id.clone());
        unique(&mut self.subnets, |x| x.id.clone());
        unique(&mut self.tables, |x| x.id.clone());
        unique(&mut self.acls, |x| x.id.clone());
        unique(&mut self.groups, |x| x.id.clone());
        unique(&mut self.interfaces, |x| x.id.clone());
        unique(&mut self.gateways, |x| x.id.clone());
        unique(&mut self.nats, |x| x.id.clone());
        unique(&mut self.peerings, |x| x.id.clone());
        unique(&mut self.transits, |x| x.id.clone());
        unique(&mut self.transit_tables, |x| x.id.clone());
        unique(&mut self.vpn_gateways, |x| x.id.clone());
        unique(&mut self.vpns, |x| x.id.clone());
        unique(&mut self.endpoints, |x| x.id.clone());
        unique(&mut self.prefix_lists, |x| x.id.clone());
        unique(&mut self.balancers, |x| x.id.clone());
        unique(&mut self.target_groups, |x| x.id.clone());
        unique(&mut self.firewalls, |x| x.id.clone());
        unique(&mut self.firewall_policies, |x| x.id.clone());
        unique(&mut self.firewall_groups, |x| x.id.clone());
        // Both accounts of a shared transit gateway list an attachment; only the gateway's owner sees the association.
        let mut tables: FxHashMap<(Text, Text), Link> = FxHashMap::default();
        for attachment in self.attachments.iter().filter(|a| !a.table.is_none()) {
            tables.entry((attachment.id.clone(), attachment.transit.id.clone())).or_insert_with(|| attachment.table.clone());
        }
        let mut seen = rustc_hash::FxHashSet::default();
        self.attachments.retain(|a| seen.insert((a.id.clone(), a.transit.id.clone())));
        for attachment in self.attachments.iter_mut().filter(|a| a.table.is_none()) {
            if let Some(table) = tables.get(&(attachment.id.clone(), attachment.transit.id.clone())) {
                attachment.table = table.clone();
            }
        }
    }

    fn cut_rules(&mut self) {
        let mut cut = Vec::new();
        let told = |id: &Text, count: usize| -> Option<Text> {
            (count > DIRECTION_RULES_MAX).then(|| {
                format!("{id} has {count} rules in one direction, more than {DIRECTION_RULES_MAX} (`direction_rules_max`)").into()
            })
        };
        for group in &mut self.groups {
            if let Some(reason) = told(&group.id, group.inbound.len().max(group.outbound.len())) {
                group.inbound.truncate(DIRECTION_RULES_MAX);
                group.outbound.truncate(DIRECTION_RULES_MAX);
                cut.push((group.id.clone(), reason.clone()));
                group.unknown = Some(reason);
            }
        }
        for acl in &mut self.acls {
            if let Some(reason) = told(&acl.id, acl.inbound.len().max(acl.outbound.len())) {
                acl.inbound.truncate(DIRECTION_RULES_MAX);
                acl.outbound.truncate(DIRECTION_RULES_MAX);
                cut.push((acl.id.clone(), reason.clone()));
                acl.unknown = Some(reason);
            }
        }
        let gap = |(id, reason): (Text, Text)| Gap::new(format!("rules of {id}"), GapReason::Limit, reason.to_string());
        self.gaps.extend(cut.into_iter().map(gap));
    }

    fn positions(&self) -> Positions {
        Positions {
            vpcs: positions(&self.vpcs, |x| &x.id),
            subnets: positions(&self.subnets, |x| &x.id),
            tables: positions(&self.tables, |x| &x.id),
            acls: positions(&self.acls, |x| &x.id),
            groups: positions(&self.groups, |x| &x.id),
            interfaces: positions(&self.interfaces, |x| &x.id),
            gateways: positions(&self.gateways, |x| &x.id),
            nats: positions(&self.nats, |x| &x.id),
            peerings: positions(&self.peerings, |x| &x.id),
            transits: positions(&self.transits, |x| &x.id),
            transit_tables: positions(&self.transit_tables, |x| &x.id),
            vpn_gateways: positions(&self.vpn_gateways, |x| &x.id),
            vpns: positions(&self.vpns, |x| &x.id),
            endpoints: positions(&self.endpoints, |x| &x.id),
            prefix_lists: positions(&self.prefix_lists, |x| &x.id),
            firewall_policies: positions(&self.firewall_policies, |x| &x.id),
            firewall_groups: positions(&self.firewall_groups, |x| &x.id),
        }
    }

    fn resolve_places(&mut self, p: &Positions) {
        for subnet in &mut self.subnets {
            resolve(&mut subnet.vpc, &p.vpcs);
            resolve(&mut subnet.table, &p.tables);
            resolve(&mut subnet.acl, &p.acls);
        }
        for interface in &mut self.interfaces {
            resolve(&mut interface.subnet, &p.subnets);
            if let Some(subnet) = interface.subnet.at.and_then(|at| self.subnets.get(at)) {
                interface.vpc = subnet.vpc.clone();
            }
            resolve(&mut interface.vpc, &p.vpcs);
            interface.groups.iter_mut().for_each(|group| resolve(group, &p.groups));
        }
        for table in &mut self.tables {
            resolve(&mut table.vpc, &p.vpcs);
        }
        for acl in &mut self.acls {
            resolve(&mut acl.vpc, &p.vpcs);
        }
    }

    fn resolve_routes(&mut self, p: &Positions) {
        for route in self.tables.iter_mut().flat_map(|table| &mut table.routes) {
            if let Destination::List(list) = &mut route.to {
                resolve(list, &p.prefix_lists);
            }
            match &mut route.target {
                Target::Local | Target::Other(_) => {}
                Target::Internet(link) | Target::EgressOnly(link) => resolve(link, &p.gateways),
                Target::Nat(link) => resolve(link, &p.nats),
                Target::Peering(link) => resolve(link, &p.peerings),
                Target::Transit(link) => resolve(link, &p.transits),
                Target::VpnGateway(link) => resolve(link, &p.vpn_gateways),
                Target::Endpoint(link) => resolve(link, &p.endpoints),
                Target::Interface(link) => resolve(link, &p.interfaces),
            }
        }
    }

    fn resolve_rules(&mut self, p: &Positions) {
        for group in &mut self.groups {
            resolve(&mut group.vpc, &p.vpcs);
            for rule in group.inbound.iter_mut().chain(&mut group.outbound) {
                match &mut rule.peer {
                    Peer::List(link) => resolve(link, &p.prefix_lists),
                    Peer::Group(link) => resolve(link, &p.groups),
                    Peer::Block(_) | Peer::Unknown(_) => {}
                }
            }
        }
    }

    fn resolve_transit(&mut self, p: &Positions) {
        for nat in &mut self.nats {
            resolve(&mut nat.subnet, &p.subnets);
            resolve(&mut nat.interface, &p.interfaces);
        }
        for side in self.peerings.iter_mut().flat_map(|peering| &mut peering.sides) {
            resolve(side, &p.vpcs);
        }
        for table in &mut self.transit_tables {
            resolve(&mut table.transit, &p.transits);
        }
        let mut tables: FxHashMap<Text, Text> = FxHashMap::default();
        for table in &self.transit_tables {
            for attachment in &table.associated {
                tables.insert(attachment.clone(), table.id.clone());
            }
        }
        for attachment in &mut self.attachments {
            resolve(&mut attachment.transit, &p.transits);
            attachment.subnets.iter_mut().for_each(|subnet| resolve(subnet, &p.subnets));
            match &mut attachment.joined {
                Joined::Vpc(link) => resolve(link, &p.vpcs),
                Joined::Vpn(link) => resolve(link, &p.vpns),
                Joined::DirectConnect(_) | Joined::Peering(_) | Joined::Other => {}
            }
            if attachment.table.is_none() {
                let default = attachment.transit.at.and_then(|at| self.transits.get(at)).map(|t| t.default_table.clone());
                let table = tables.get(&attachment.id).cloned().or(default.filter(|id| !id.is_empty()));
                attachment.table = table.map(Link::to).unwrap_or_default();
            }
            resolve(&mut attachment.table, &p.transit_tables);
        }
    }

    fn resolve_services(&mut self, p: &Positions) {
        for endpoint in &mut self.endpoints {
            resolve(&mut endpoint.vpc, &p.vpcs);
            endpoint.subnets.iter_mut().for_each(|link| resolve(link, &p.subnets));
            endpoint.interfaces.iter_mut().for_each(|link| resolve(link, &p.interfaces));
        }
        for balancer in &mut self.balancers {
            resolve(&mut balancer.vpc, &p.vpcs);
            balancer.subnets.iter_mut().for_each(|link| resolve(link, &p.subnets));
            balancer.groups.iter_mut().for_each(|link| resolve(link, &p.groups));
            balancer.interfaces.iter_mut().for_each(|link| resolve(link, &p.interfaces));
        }
        for group in &mut self.target_groups {
            resolve(&mut group.vpc, &p.vpcs);
        }
        for firewall in &mut self.firewalls {
            resolve(&mut firewall.vpc, &p.vpcs);
            resolve(&mut firewall.policy, &p.firewall_policies);
        }
        for policy in &mut self.firewall_policies {
            policy.stateless.iter_mut().chain(&mut policy.stateful).for_each(|(_, link)| resolve(link, &p.firewall_groups));
        }
    }

    /// Explicit association, else the main table. Two main tables leave the answer open.
    fn assign_tables(&mut self) {
        let mut odd = Vec::new();
        for (at, table) in self.tables.iter().enumerate() {
            if let (true, Some(vpc)) = (table.main, table.vpc.at.and_then(|vpc| self.vpcs.get_mut(vpc))) {
                vpc.mains += 1;
                if vpc.mains > 1 {
                    odd.push(vpc.id.clone());
                }
                vpc.main_table = Some(at);
            }
        }
        for id in odd {
            self.odd(format!("main route table of {id}"), "more than one route table says it is the main one");
        }
        let mut explicit: FxHashMap<Text, usize> = FxHashMap::default();
        for (at, table) in self.tables.iter().enumerate() {
            for subnet in &table.subnets {
                explicit.entry(subnet.clone()).or_insert(at);
            }
        }
        let always_main = self.faulty(crate::fault::Fault::MainTableAlways);
        for subnet in &mut self.subnets {
            let vpc = subnet.vpc.at.and_then(|at| self.vpcs.get(at));
            // An association with a table that isn't here is one all the same.
            let main = vpc.filter(|vpc| vpc.mains == 1 && subnet.table.is_none()).and_then(|vpc| vpc.main_table);
            let own = explicit.get(&subnet.id).copied().filter(|_| !always_main);
            if let Some(table) = own.or(subnet.table.at).or(main).and_then(|at| Some((at, self.tables.get(at)?))) {
                subnet.table = Link { id: table.1.id.clone(), at: Some(table.0) };
            }
        }
    }

    fn assign_acls(&mut self) {
        let mut explicit: FxHashMap<Text, usize> = FxHashMap::default();
        let mut default: FxHashMap<usize, usize> = FxHashMap::default();
        for (at, acl) in self.acls.iter().enumerate() {
            for subnet in &acl.subnets {
                explicit.entry(subnet.clone()).or_insert(at);
            }
            if let (true, Some(vpc)) = (acl.default, acl.vpc.at) {
                default.entry(vpc).or_insert(at);
            }
        }
        for subnet in &mut self.subnets {
            let fallback = subnet.vpc.at.filter(|_| subnet.acl.is_none()).and_then(|vpc| default.get(&vpc).copied());
            let at = explicit.get(&subnet.id).copied().or(subnet.acl.at).or(fallback);
            if let Some((at, acl)) = at.and_then(|at| Some((at, self.acls.get(at)?))) {
                subnet.acl = Link { id: acl.id.clone(), at: Some(at) };
            }
        }
    }

    fn attach_gateways(&mut self) {
        let vpcs = positions(&self.vpcs, |x| &x.id);
        let detached = self.faulty(crate::fault::Fault::DetachedGateway);
        for (at, gateway) in self.gateways.iter().enumerate().filter(|(_, g)| !g.egress_only) {
            for (vpc, state) in &gateway.vpcs {
                let attached = !matches!(state, State::Down(_)) || detached;
                if let (true, Some(vpc)) = (attached, vpcs.get(vpc).and_then(|at| self.vpcs.get_mut(*at))) {
                    vpc.igw = Some(at);
                }
            }
        }
        for (at, gateway) in self.vpn_gateways.iter().enumerate() {
            for (vpc, state) in &gateway.vpcs {
                if let (false, Some(vpc)) = (matches!(state, State::Down(_)), vpcs.get(vpc).and_then(|at| self.vpcs.get_mut(*at)))
                {
                    vpc.vgw = Some(at);
                }
            }
        }
    }

    /// A route for a prefix list stands for one route for each of its blocks. The local routes are always there, whether listed
    /// or not.
    fn index_routes(&mut self) {
        for table in &mut self.tables {
            for block in table.vpc.at.and_then(|at| self.vpcs.get(at)).map(|vpc| vpc.cidrs.as_slice()).unwrap_or_default() {
                if !table.routes.iter().any(|route| route.to == Destination::Block(*block)) {
                    let (to, target) = (Destination::Block(*block), Target::Local);
                    table.routes.push(Route { to, target, state: State::Up, propagated: false });
                }
            }
            for (at, route) in table.routes.iter().enumerate() {
                match &route.to {
                    Destination::Block(block) => table.lpm.add(*block, at as u32),
                    Destination::List(list) => match list.at.and_then(|at| self.prefix_lists.get(at)).filter(|list| list.known) {
                        Some(list) => list.cidrs.iter().for_each(|block| table.lpm.add(*block, at as u32)),
                        None => table.unknown = Some(format!("prefix list {} isn't in the snapshot", list.id).into()),
                    },
                }
            }
        }
    }

    fn index_transit(&mut self) {
        for (at, attachment) in self.attachments.iter().enumerate() {
            self.index.attachments.entry(attachment.id.clone()).or_default().push(at);
            if let Joined::Vpc(Link { at: Some(vpc), .. }) = &attachment.joined {
                self.index.vpc_attachments.entry(*vpc).or_default().push((attachment.transit.id.clone(), at));
            }
        }
        let mut learned: Vec<(usize, Result<TransitRoute, Text>)> = Vec::new();
        for (at, table) in self.transit_tables.iter().enumerate() {
            for id in &table.propagations {
                let prefixes = self.propagated(id, &table.transit.id);
                match prefixes {
                    Some(prefixes) => learned.extend(prefixes.into_iter().map(|to| {
                        (at, Ok(TransitRoute { to, attachments: vec![id.clone()], state: State::Up, propagated: true }))
                    })),
                    None => learned.push((at, Err(id.clone()))),
                }
            }
        }
        for (at, what) in learned {
            match (self.transit_tables.get_mut(at), what) {
                (Some(table), Ok(route)) => table.routes.push(route),
                (Some(table), Err(id)) => table.dynamic.push(id),
                (None, _) => {}
            }
        }
        for table in &mut self.transit_tables {
            for (at, route) in table.routes.iter().enumerate() {
                table.lpm.add(route.to, at as u32);
            }
        }
    }

    /// The prefixes that an attachment propagates; `None` if they are not known.
    fn propagated(&self, id: &Text, transit: &Text) -> Option<Vec<Cidr>> {
        let all = self.index.attachments.get(id)?;
        let attachment = all.iter().filter_map(|at| self.attachments.get(*at)).find(|a| a.transit.id == *transit)?;
        match &attachment.joined {
            Joined::Vpc(vpc) => {
                let vpc = self.vpcs.get(vpc.at?)?;
                vpc.cidrs_unknown.is_none().then(|| vpc.cidrs.clone())
            }
            Joined::Vpn(vpn) => {
                let vpn = self.vpns.get(vpn.at?)?;
                (!vpn.dynamic).then(|| vpn.prefixes.clone())
            }
            Joined::Peering(_) => Some(Vec::new()),
            Joined::DirectConnect(_) | Joined::Other => None,
        }
    }

    fn index_interfaces(&mut self) {
        let mut twice = Vec::new();
        for (at, interface) in self.interfaces.iter().enumerate() {
            self.index.owners.entry(interface.id.clone()).or_default().push(at);
            if !interface.owner.id.is_empty() && interface.owner.id != interface.id {
                self.index.owners.entry(interface.owner.id.clone()).or_default().push(at);
            }
            for owner in &interface.candidates {
                self.index.owners.entry(owner.clone()).or_default().push(at);
            }
            for address in &interface.addresses {
                if let Some(vpc) = interface.vpc.at {
                    let before = self.index.private.entry((vpc, address.private)).or_insert(at);
                    if *before != at {
                        twice.push((interface.id.clone(), address.private));
                    }
                }
                if let Some(public) = address.public {
                    self.index.public.entry(public).or_insert(at);
                }
            }
        }
        for (id, addr) in twice.into_iter().take(100) {
            self.odd(format!("address {addr} of {id}"), "another interface of the same VPC has it too; the first one counts");
        }
        for nat in 0..self.nats.len() {
            if let Some(at) = self.nats.get(nat).and_then(|n| n.interface.at)
                && let (Some(nat), Some(interface)) = (self.nats.get(nat), self.interfaces.get_mut(at))
            {
                interface.owner.kind = OwnerKind::Nat;
                interface.owner.service = "ec2".into();
                interface.owner.id = nat.id.clone();
                interface.ungrouped = true;
                self.index.owners.entry(nat.id.clone()).or_insert_with(|| vec![at]);
            }
        }
    }

    fn order_acls(&mut self) {
        let mut twice = Vec::new();
        for acl in &mut self.acls {
            for list in [&mut acl.inbound, &mut acl.outbound] {
                list.sort_by_key(|entry| entry.number);
                for pair in list.windows(2) {
                    if let [a, b] = pair
                        && a.number == b.number
                    {
                        twice.push((acl.id.clone(), a.number));
                    }
                }
            }
        }
        for (id, number) in twice.into_iter().take(100) {
            self.odd(format!("rule {number} of {id}"), "two rules of one direction have this number; they count in source order");
        }
    }
}
