//! Transit gateways.

use model::Text;
use serde_json::Value;

use super::Staging;
use super::read::{flag, list, or_empty, state, text};
use crate::addr::Cidr;
use crate::network::{Attachment, Joined, Link, State, Transit, TransitRoute, TransitTable};

impl Staging {
    pub(super) fn transit_gateway(&mut self, item: &Value) {
        let Some(id) = text(item, "TransitGatewayId") else {
            return self.malformed("TransitGatewayId", "an element has no such id");
        };
        let options = item.get("Options").cloned().unwrap_or_default();
        self.net.transits.push(Transit {
            id,
            group_references: flag(&options, "SecurityGroupReferencingSupport").unwrap_or(false),
            state: state(text(item, "State"), &["available", "modifying"]),
            ..Transit::default()
        });
    }

    pub(super) fn transit_attachment(&mut self, item: &Value) {
        let (Some(id), transit) = (text(item, "TransitGatewayAttachmentId"), or_empty(item, "TransitGatewayId")) else {
            return self.malformed("TransitGatewayAttachmentId", "an element has no such id");
        };
        let resource = or_empty(item, "ResourceId");
        let joined = match or_empty(item, "ResourceType").as_ref() {
            "vpc" => Joined::Vpc(Link::to(resource)),
            "vpn" => Joined::Vpn(Link::to(resource)),
            "direct-connect-gateway" => Joined::DirectConnect(resource),
            "peering" | "tgw-peering" => Joined::Peering(resource),
            _ => Joined::Other,
        };
        let association = item
            .get("Association")
            .filter(|a| text(a, "State").is_none_or(|s| matches!(s.as_ref(), "associated" | "associating")));
        self.net.attachments.push(Attachment {
            id,
            transit: Link::to(transit),
            joined,
            table: association.and_then(|a| text(a, "TransitGatewayRouteTableId")).map(Link::to).unwrap_or_default(),
            state: state(text(item, "State"), &["available", "modifying"]),
            ..Attachment::default()
        });
    }

    pub(super) fn transit_vpc_attachment(&mut self, item: &Value) {
        let Some(id) = text(item, "TransitGatewayAttachmentId") else { return };
        let options = item.get("Options").cloned().unwrap_or_default();
        let subnets = list(item, "SubnetIds").iter().filter_map(|s| s.as_str()).map(Text::from).collect();
        let appliance = flag(&options, "ApplianceModeSupport").unwrap_or(false);
        let references = flag(&options, "SecurityGroupReferencingSupport").unwrap_or(false);
        self.vpc_attachments.push((id.clone(), subnets, appliance, references));
        let have = self.net.attachments.iter().any(|a| a.id == id);
        if !have && !self.seen.contains("TransitGatewayAttachments") {
            self.net.attachments.push(Attachment {
                id,
                transit: Link::to(or_empty(item, "TransitGatewayId")),
                joined: Joined::Vpc(Link::to(or_empty(item, "VpcId"))),
                state: state(text(item, "State"), &["available", "modifying"]),
                ..Attachment::default()
            });
        }
    }

    pub(super) fn transit_peering(&mut self, item: &Value) {
        let Some(id) = text(item, "TransitGatewayAttachmentId") else { return };
        for key in ["RequesterTgwInfo", "AccepterTgwInfo"] {
            if let Some(transit) = item.get(key).and_then(|side| text(side, "TransitGatewayId")) {
                self.peers.insert((id.clone(), transit), ());
            }
        }
    }

    pub(super) fn transit_table(&mut self, item: &Value) {
        let Some(id) = text(item, "TransitGatewayRouteTableId") else {
            return self.malformed("TransitGatewayRouteTableId", "an element has no such id");
        };
        let transit = Link::to(or_empty(item, "TransitGatewayId"));
        self.net.transit_tables.push(TransitTable { id, transit, ..TransitTable::default() });
    }

    pub(super) fn transit_routes(&mut self, item: &Value) {
        match text(item, "TransitGatewayRouteTableId") {
            Some(id) => self.routes_of(&id, item.get("Routes").unwrap_or(&Value::Null)),
            None => self.malformed("TransitGatewayStaticRoutes", "an element has no TransitGatewayRouteTableId"),
        }
    }

    /// The routes of a table, whose table may come in a later document.
    pub(super) fn routes_of(&mut self, id: &Text, routes: &Value) {
        self.static_routes.insert(id.clone());
        let mut all = Vec::new();
        for item in routes.as_array().into_iter().flatten() {
            let word = text(item, "DestinationCidrBlock");
            let Some(to) = word.as_deref().and_then(Cidr::parse) else {
                self.malformed(&format!("route of {id}"), &format!("`{}` is not a CIDR block", word.unwrap_or_default()));
                continue;
            };
            let attachments =
                list(item, "TransitGatewayAttachments").iter().filter_map(|a| text(a, "TransitGatewayAttachmentId")).collect();
            let propagated = text(item, "Type").as_deref() == Some("propagated");
            all.push(TransitRoute { to, attachments, state: state(text(item, "State"), &["active"]), propagated });
        }
        self.on_table(id, |table| table.routes.extend(all));
    }

    pub(super) fn transit_propagations(&mut self, item: &Value) {
        match text(item, "TransitGatewayRouteTableId") {
            Some(id) => self.propagations_of(&id, item.get("TransitGatewayRouteTablePropagations").unwrap_or(&Value::Null)),
            None => self.malformed("TransitGatewayPropagations", "an element has no TransitGatewayRouteTableId"),
        }
    }

    pub(super) fn propagations_of(&mut self, id: &Text, items: &Value) {
        let on = |p: &&Value| text(p, "State").is_none_or(|s| s.as_ref() == "enabled" || s.as_ref() == "enabling");
        let ids: Vec<Text> =
            items.as_array().into_iter().flatten().filter(on).filter_map(|p| text(p, "TransitGatewayAttachmentId")).collect();
        self.seen.insert("TransitGatewayPropagations".to_owned());
        self.on_table(id, |table| table.propagations.extend(ids));
    }

    pub(super) fn transit_associations(&mut self, item: &Value) {
        if let Some(id) = text(item, "TransitGatewayRouteTableId") {
            self.associations_of(&id, item.get("Associations").unwrap_or(&Value::Null));
        }
    }

    pub(super) fn associations_of(&mut self, id: &Text, items: &Value) {
        let ids: Vec<Text> =
            items.as_array().into_iter().flatten().filter_map(|p| text(p, "TransitGatewayAttachmentId")).collect();
        self.on_table(id, |table| table.associated.extend(ids));
    }

    /// Does something to a table of this id, now or when it comes. Tables that never come are made, so that nothing is lost.
    fn on_table(&mut self, id: &Text, change: impl FnOnce(&mut TransitTable)) {
        match self.net.transit_tables.iter_mut().find(|t| t.id == *id && t.transit.id.is_empty()) {
            Some(table) => change(table),
            None => {
                let mut table = TransitTable { id: id.clone(), ..TransitTable::default() };
                change(&mut table);
                self.net.transit_tables.push(table);
            }
        }
    }

    pub(super) fn join_transit(&mut self) {
        let parts = std::mem::take(&mut self.net.transit_tables);
        let mut tables: Vec<TransitTable> = Vec::new();
        for part in parts {
            match tables.iter_mut().find(|t| t.id == part.id) {
                Some(table) => {
                    if table.transit.is_none() {
                        table.transit = part.transit;
                    }
                    table.routes.extend(part.routes);
                    table.propagations.extend(part.propagations);
                    table.associated.extend(part.associated);
                }
                None => tables.push(part),
            }
        }
        let propagations = self.seen.contains("TransitGatewayPropagations");
        for table in &mut tables {
            if !self.static_routes.contains(&table.id) && !self.seen.contains("TransitGatewayStaticRoutes") {
                table.unknown = Some(format!("the routes of {} aren't in the snapshot", table.id).into());
            } else if !propagations && !table.routes.iter().any(|r| r.propagated) {
                table.unknown = Some(format!("the propagations of {} aren't in the snapshot", table.id).into());
            }
        }
        self.net.transit_tables = tables;
        if !self.seen.contains("TransitGatewayAttachments") && !self.seen.contains("TransitGatewayVpcAttachments") {
            for transit in &mut self.net.transits {
                let reason = format!("the attachments of {} aren't in the snapshot", transit.id);
                transit.attachments_unknown = Some(reason.into());
            }
        }
        for (id, subnets, appliance, references) in std::mem::take(&mut self.vpc_attachments) {
            for attachment in self.net.attachments.iter_mut().filter(|a| a.id == id) {
                attachment.subnets = subnets.iter().cloned().map(Link::to).collect();
                attachment.subnets_known = true;
                attachment.appliance = appliance;
                attachment.group_references = references;
            }
        }
        self.join_peers();
    }

    /// A peering attachment that only one side lists is there for the other side too, if both gateways are known.
    fn join_peers(&mut self) {
        let mut missing = Vec::new();
        for (id, transit) in self.peers.keys() {
            let known = self.net.transits.iter().any(|t| t.id == *transit);
            let listed = self.net.attachments.iter().any(|a| a.id == *id && a.transit.id == *transit);
            let other = self.peers.keys().find(|(i, t)| i == id && t != transit).map(|(_, t)| t.clone());
            if let (true, false, Some(other)) = (known, listed, other) {
                missing.push(Attachment {
                    id: id.clone(),
                    transit: Link::to(transit.clone()),
                    joined: Joined::Peering(other),
                    state: State::Up,
                    ..Attachment::default()
                });
            }
        }
        missing.sort_by(|a, b| (&a.id, &a.transit.id).cmp(&(&b.id, &b.transit.id)));
        self.net.attachments.extend(missing);
    }
}
