//! Attaching at the start: to all interfaces that were named, or, with `--wait`, to those that are
//! there.

use filter_policy::compiled::CompiledPolicy;
use filter_user::{
    controller::NamedInterface,
    kernel::{Filter, KernelError, is_interface},
};

use super::{
    Args,
    judged::Asked,
    report::{far_end, warn},
};

/// Attaches, and says where answers may be lost.
pub fn attach(
    filter: &mut Filter,
    asked: Vec<Asked>,
    compiled: &CompiledPolicy,
    args: &Args,
) -> Result<Vec<NamedInterface>, KernelError> {
    let mut there = Vec::new();
    for Asked { name, settings, .. } in &asked {
        if !args.wait || is_interface(name)? {
            filter.make_room_for(name, compiled)?;
            there.push((name.clone(), *settings));
        }
    }
    let mut attachments = filter.attach_with(&there, args.mode)?;
    for attachment in attachments.iter().filter(|it| it.far_end_may_miss_answers) {
        warn(&far_end(attachment));
    }
    let named = asked.into_iter().map(
        |Asked {
             name, configured, ..
         }| {
            let place = attachments.iter().position(|it| it.interface == name);
            let attachment = place.map(|place| attachments.swap_remove(place));
            let named = NamedInterface::new(name, configured);
            match attachment {
                Some(attachment) => named.attached(attachment),
                None => named,
            }
        },
    );
    Ok(named.collect())
}
