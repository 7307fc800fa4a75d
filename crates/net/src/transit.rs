//! Transit gateways: attachment, associated table, longest prefix, next attachment.
//!
//! Sources: the transit gateway guide's pages "How transit gateways work", "Network ACLs for transit gateways" and "Security
//! group referencing".

use model::Text;

use crate::carry::Walk;
use crate::fault::Fault;
use crate::filter::Way;
use crate::network::{Attachment, Joined, Link, State, TransitRoute, TransitTable};
use crate::trace::{End, Exit, Step, code};

/// A packet that passes more transit gateways than this goes round in circles.
const TRANSITS_MAX: usize = 16;

impl Walk<'_> {
    /// From a subnet to a transit gateway, by the attachment's interface in the subnet's Availability Zone.
    pub(crate) fn meet_transit(&mut self, vpc: usize, subnet: usize, link: &Link) -> End {
        let net = self.net;
        let attachments = net.index.vpc_attachments.get(&vpc);
        let mine = attachments.and_then(|list| list.iter().find(|(id, _)| *id == link.id)).map(|(_, at)| *at);
        let Some(at) = mine else {
            let step = Step::pass("transit-gateway", link.id.clone(), "");
            return match link.at.map(|at| &net.transit(at).attachments_unknown) {
                Some(None) => self.lost(step.stop(code::BAD_STATE_ATTACHMENT).fix("attach the VPC to it")),
                Some(Some(reason)) => self.lost(step.unknown(reason.clone())),
                None => self.lost(step.unknown(format!("the attachment to transit gateway {} isn't in the snapshot", link.id))),
            };
        };
        if let Some(transit) = link.at.map(|at| net.transit(at))
            && let State::Down(_) = transit.state
        {
            self.push(Step::pass("transit-gateway", link.id.clone(), "").stop(code::BAD_STATE).fix("a working transit gateway"));
        }
        let attachment = net.attachment(at);
        if !self.works(attachment) {
            return End::Lost;
        }
        let zone = net.subnet(subnet).zone.clone();
        match self.attachment_subnet(attachment, &zone, true) {
            Some(home) if home != subnet => self.acl(home, Way::In),
            Some(_) => {}
            None => return End::Lost,
        }
        self.grouped = self.grouped.and(attachment.group_references.into());
        self.push(Step::pass("transit-gateway-attachment", attachment.id.clone(), ""));
        self.transit(at)
    }

    fn works(&mut self, attachment: &Attachment) -> bool {
        let step = Step::pass("transit-gateway-attachment", attachment.id.clone(), "");
        match &attachment.state {
            State::Up => return true,
            State::Down(_) => {
                self.push(step.stop(code::BAD_STATE_ATTACHMENT).fix("accept or repair the attachment"));
                return true;
            }
            State::Unknown(reason) => self.push(step.unknown(reason.clone())),
        }
        false
    }

    /// The attachment's subnet that serves a zone. Outward a zone without one cannot use the gateway; inward the gateway
    /// keeps to the sender's zone where it can and else takes another.
    fn attachment_subnet(&mut self, attachment: &Attachment, zone: &Text, outward: bool) -> Option<usize> {
        let net = self.net;
        let step = Step::pass("transit-gateway-attachment", attachment.id.clone(), "");
        if !attachment.subnets_known {
            self.push(step.unknown(format!("the subnets of attachment {} aren't in the snapshot", attachment.id)));
            return None;
        }
        let known = attachment.subnets.iter().filter_map(|s| s.at);
        let same = known.clone().find(|at| net.subnet(*at).zone == *zone && !zone.is_empty());
        if same.is_some() {
            return same;
        }
        let any = known.clone().next();
        let blind = attachment.subnets.iter().any(|s| s.at.is_none())
            || zone.is_empty()
            || known.clone().any(|at| net.subnet(at).zone.is_empty());
        if !outward || net.faulty(Fault::AnyZone) {
            if any.is_none() {
                self.push(step.unknown(format!("no subnet of attachment {} is in the snapshot", attachment.id)));
            }
            return any;
        }
        if blind {
            self.push(
                step.unknown(format!("whether attachment {} serves the subnet's Availability Zone isn't known", attachment.id)),
            );
            return any;
        }
        self.push(step.stop(code::TGW_ROUTE_AZ_RESTRICTION).fix(format!("a subnet of the attachment in {zone}")));
        any
    }

    /// Through a transit gateway, from one of its attachments on.
    pub(crate) fn transit(&mut self, from: usize) -> End {
        let mut at = from;
        for _ in 0..TRANSITS_MAX {
            let Some(next) = self.transit_table(at) else { return End::Lost };
            let attachment = self.net.attachment(next);
            if !self.works(attachment) {
                return End::Lost;
            }
            self.push(Step::pass("transit-gateway-attachment", attachment.id.clone(), ""));
            match &attachment.joined {
                Joined::Vpc(vpc) => return self.out_of_transit(attachment, vpc),
                Joined::Vpn(vpn) => return self.out_by_vpn(next, vpn),
                Joined::DirectConnect(_) => return End::Exit(Exit::Attachment { at: next }),
                Joined::Peering(other) => match self.far_side(attachment, other) {
                    Some(far) => at = far,
                    None => return End::Lost,
                },
                Joined::Other => {
                    let step = Step::pass("transit-gateway-attachment", attachment.id.clone(), "");
                    return self.lost(step.unknown(format!("what lies behind attachment {} isn't understood", attachment.id)));
                }
            }
        }
        let id = self.net.attachment(at).transit.id.clone();
        self.lost(Step::pass("transit-gateway", id, "routing loop").stop(code::TGW_RTB_CANNOT_ROUTE))
    }

    /// The attachment to which the associated table sends the packet.
    fn transit_table(&mut self, from: usize) -> Option<usize> {
        let net = self.net;
        let attachment = net.attachment(from);
        let mut link = attachment.table.clone();
        if net.faulty(Fault::OneTransitTable) {
            let first = net.transit_tables.iter().position(|t| t.transit.id == attachment.transit.id);
            link.at = first.or(link.at);
        }
        let Some(table) = link.at.map(|at| net.transit_table(at)) else {
            let step = Step::pass("transit-gateway-attachment", attachment.id.clone(), "");
            let step = match (link.is_none(), &attachment.table_unknown) {
                (true, None) => {
                    step.stop(code::TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION).fix("associate the attachment with a route table")
                }
                (true, Some(reason)) => step.unknown(reason.clone()),
                (false, _) => step.unknown(format!("transit gateway route table {} isn't in the snapshot", link.id)),
            };
            self.push(step);
            return None;
        };
        if let Some(next) = self.announcing(table) {
            let id = net.attachment(next).id.clone();
            self.push(Step::pass("transit-gateway-route-table", table.id.clone(), format!("learned -> {id}")));
            return Some(next);
        }
        let Some(route) = self.pick_transit(table) else {
            self.no_transit_route(table);
            return None;
        };
        let rule = format!("{} -> {}", route.to, route.attachments.first().map_or("blackhole", |id| id));
        let step = Step::pass("transit-gateway-route-table", table.id.clone(), rule);
        let down = matches!(route.state, State::Down(_)) && !net.faulty(Fault::TransitBlackholeIgnored);
        if down || route.attachments.is_empty() {
            self.push(step.clone().stop(code::TGW_RTB_BAD_STATE_ROUTE).fix("a working attachment for this route"));
        }
        if route.attachments.is_empty() {
            return None;
        }
        let here = |at: &&usize| net.attachment(**at).transit.id == attachment.transit.id;
        let next = route.attachments.iter().find_map(|id| net.index.attachments.get(id)?.iter().find(here)).copied();
        match next {
            Some(_) => self.push(step),
            None => {
                let id = route.attachments.first().cloned().unwrap_or_default();
                self.push(step.unknown(format!("attachment {id} isn't in the snapshot")));
            }
        }
        next
    }

    /// The attachment behind which the destination lies, if it stands for what lies there and the table learns that.
    fn announcing(&self, table: &TransitTable) -> Option<usize> {
        let here = self.announced.iter().filter(|(addr, _)| *addr == self.packet.dst);
        here.filter_map(|(_, exit)| if let Exit::Attachment { at } = exit { Some(*at) } else { None }).find(|at| {
            self.net.attachment(*at).transit.id == table.transit.id && table.dynamic.contains(&self.net.attachment(*at).id)
        })
    }

    fn pick_transit<'t>(&self, table: &'t TransitTable) -> Option<&'t TransitRoute> {
        let (_, routes) = table.lpm.find(self.packet.dst)?;
        let all = || routes.iter().filter_map(|at| table.routes.get(*at as usize));
        let wins = self.net.faulty(Fault::PropagatedWins);
        all().find(|r| r.propagated == wins).or_else(|| all().next())
    }

    fn no_transit_route(&mut self, table: &TransitTable) {
        let step = Step::pass("transit-gateway-route-table", table.id.clone(), "");
        let step = match (&table.unknown, table.dynamic.first()) {
            (Some(reason), _) => step.unknown(reason.clone()),
            (None, Some(id)) => step.unknown(format!("the prefixes that attachment {id} propagates aren't known")),
            (None, None) => step
                .stop(code::TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT)
                .fix(format!("a route for {}, or a propagation", self.packet.dst)),
        };
        self.push(step);
    }

    fn out_of_transit(&mut self, attachment: &Attachment, vpc: &Link) -> End {
        let step = Step::pass("vpc", vpc.id.clone(), "");
        if vpc.at.is_none() {
            return self.lost(step.unknown(format!("VPC {} isn't in the snapshot", vpc.id)));
        }
        let zone = self.zone.clone();
        let Some(home) = self.attachment_subnet(attachment, &zone, false) else { return End::Lost };
        let transit = attachment.transit.at.is_some_and(|at| self.net.transit(at).group_references);
        self.grouped = self.grouped.and(transit.into()).and(attachment.group_references.into());
        // Into the attachment's own subnet the ACL's inbound lines count; on the way to any other one its outbound lines do.
        if self.net.subnet(home).cidrs.iter().any(|c| c.contains(self.packet.dst)) {
            self.acl(home, Way::In);
        }
        self.route_from(home)
    }

    fn out_by_vpn(&mut self, at: usize, link: &Link) -> End {
        let net = self.net;
        let state = link.at.and_then(|at| net.vpns.get(at)).map(|vpn| &vpn.state);
        if let (Some(State::Down(_)), false) = (state, net.faulty(Fault::VpnStateIgnored)) {
            let step = Step::pass("vpn-connection", link.id.clone(), "").stop(code::TGW_BAD_STATE_VPN);
            self.push(step.fix("a working VPN connection"));
        }
        End::Exit(Exit::Attachment { at })
    }

    /// The same peering attachment as the other transit gateway sees it.
    fn far_side(&mut self, attachment: &Attachment, other: &Text) -> Option<usize> {
        let net = self.net;
        self.grouped = model::Truth::False;
        let all = net.index.attachments.get(&attachment.id);
        let far = all.and_then(|list| list.iter().find(|at| net.attachment(**at).transit.id != attachment.transit.id)).copied();
        if far.is_none() {
            let step = Step::pass("transit-gateway-attachment", attachment.id.clone(), "");
            self.push(step.unknown(format!("the far side of {}, transit gateway {other}, isn't in the snapshot", attachment.id)));
        }
        far
    }
}
