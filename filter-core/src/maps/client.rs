//! The precedence of a name for the client of its packet.

use super::Maps;
use crate::{
    abi::{Generation, Precedence, Settings},
    clients::Client,
    effect,
    packet::Packet,
    rules::{Rules, find_rule, run_patterns},
    scratch::Scratch,
};

/// The precedence of the name that was read last, for the client of its packet. The rule that
/// prevails is left in the name, and counted.
#[inline(always)]
pub fn precedence_of<P: Packet + ?Sized, M: Maps>(
    packet: &P,
    maps: &M,
    settings: &Settings,
    scratch: &mut Scratch,
    of_response: bool,
) -> Precedence {
    let in_force = maps.in_force();
    let generation = in_force.generation();
    scratch.generation = generation.index();
    let group = if in_force.has_clients() {
        maps.group_of(packet, scratch, generation, of_response)
    } else {
        0
    };
    let row = in_force.row(group);
    scratch
        .name
        .begin_judging(maps.audiences(row, generation), row);
    find_rule(&mut scratch.name, &settings.hash_key, maps, in_force);
    run_patterns(&mut scratch.name, maps, in_force);
    let found = scratch.name.found();
    if found.precedence != Precedence::NotListed {
        maps.count_hit(found.key);
    }
    if found.precedence.blocks() {
        let (_, interface) = maps.interface();
        effect::set_actions(&mut scratch.actions, &found, maps, generation, interface);
    }
    found.precedence
}

/// The group of the client of a packet.
#[inline(always)]
pub fn group_of<P: Packet + ?Sized, R: Rules>(
    packet: &P,
    rules: &R,
    scratch: &Scratch,
    generation: Generation,
    of_response: bool,
) -> u32 {
    let client = Client::of(packet, &scratch.transport, of_response);
    client.map_or(0, |client| rules.group(&client, generation))
}
