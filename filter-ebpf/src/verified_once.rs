//! Parts that the verifier goes through once, whatever the number of ways that lead to them.
//!
//! A function that is exported and has plain arguments becomes a global function of BTF: the verifier checks it by
//! itself, for any arguments, and then takes each call as one instruction. Inlined, these loops would be checked again
//! for each way through the headers: more than a million instructions.

use aya_ebpf::bindings::xdp_md;
use filter_core::{HashKey, Judge, Name, Reason, Settings, any_matches as first_of_suffixes, decide};

use crate::{
    events,
    frame::{Linear, Paged},
    maps::RuleMap,
};

/// [`Name::hash_labels`]; gives the number of its `LabelsEnd`.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn hash_labels(name: *mut Name, key: *const HashKey) -> u32 {
    // SAFETY: the verifier lets nobody call this with other pointers than to a name and a key, or null.
    let (Some(name), Some(key)) = (unsafe { name.as_mut() }, unsafe { key.as_ref() }) else { return u32::MAX };
    name.hash_labels::<Linear>(key).0
}

/// [`filter_core::any_matches`] over the rule map; 1 or 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn any_matches(name: *mut Name, key: *const HashKey) -> u32 {
    // SAFETY: as above.
    let (Some(name), Some(key)) = (unsafe { name.as_mut() }, unsafe { key.as_ref() }) else { return 0 };
    u32::from(first_of_suffixes::<Linear, _>(name, key, &RuleMap))
}

macro_rules! judging {
    ($($(#[doc = $doc:literal])+ $name:ident, $frame:ident, $method:ident;)+) => {$(
        $(#[doc = $doc])+
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name(
            ctx: *mut xdp_md,
            settings: *const Settings,
            name: *mut Name,
            at: u32,
            end: u32,
        ) -> u32 {
            // SAFETY: as above.
            let (Some(settings), Some(name)) = (unsafe { settings.as_ref() }, unsafe { name.as_mut() }) else {
                return u32::MAX;
            };
            Judge { packet: &$frame(ctx), settings, rules: &RuleMap, name }.$method(at, end).index()
        }
    )+};
}

judging! {
    /// [`Judge::dns_message`] over a frame in one piece; gives the reason's index.
    dns_message, Linear, dns_message;
    /// [`Judge::dns_message`] over a frame in several buffers; gives the reason's index.
    dns_message_paged, Paged, dns_message;
    /// [`Judge::client_hello`] over a frame in one piece; gives the reason's index.
    client_hello, Linear, client_hello;
    /// [`Judge::client_hello`] over a frame in several buffers; gives the reason's index.
    client_hello_paged, Paged, client_hello;
}

/// [`decide`] over a frame in several buffers; gives the reason's index.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn decide_paged(ctx: *mut xdp_md, settings: *const Settings, name: *mut Name) -> u32 {
    // SAFETY: as above.
    let (Some(settings), Some(name)) = (unsafe { settings.as_ref() }, unsafe { name.as_mut() }) else {
        return u32::MAX;
    };
    decide(&Paged(ctx), settings, &RuleMap, name).index()
}

/// [`events::report`]; gives 0.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn report(ctx: *mut xdp_md, settings: *const Settings, name: *const Name, reason: u32) -> u32 {
    // SAFETY: as above.
    if let (Some(settings), Some(name)) = (unsafe { settings.as_ref() }, unsafe { name.as_ref() })
        && let Some(reason) = Reason::from_index(reason)
    {
        events::report(ctx, reason, settings, name);
    }
    0
}
