//! What the ranks of one host share: its cores, and its links to other hosts.

use super::meeting::Greeting;

/// Returns the first host with more ranks than cores, with the reason why times of messages cannot be trusted there.
#[must_use]
pub fn oversubscription(greetings: &[Greeting]) -> Option<String> {
    greetings.iter().find_map(|greeting| {
        let of_host = of_host(greetings, &greeting.host);
        let (ranks, cores) = oversubscribed_cores(&of_host)?;
        let plural = if cores == 1 { "" } else { "s" };
        Some(format!(
            "host `{}` runs {ranks} ranks on {cores} core{plural}, and a rank that waits keeps others from running",
            greeting.host
        ))
    })
}

/// Returns whether some ranks are on one host and others are not. Links within a host differ from those between hosts.
#[must_use]
pub fn links_differ(greetings: &[Greeting]) -> bool {
    let first = greetings.first().map(|greeting| greeting.host.as_str());
    let are_many = greetings.iter().any(|greeting| Some(greeting.host.as_str()) != first);
    are_many && greetings.iter().any(|greeting| of_host(greetings, &greeting.host).len() > 1)
}

fn of_host<'a>(greetings: &'a [Greeting], host: &str) -> Vec<&'a Greeting> {
    greetings.iter().filter(|greeting| greeting.host == host).collect()
}

/// Returns numbers of ranks and of cores, of which the ranks may use no others, if there are fewer cores than ranks.
fn oversubscribed_cores(of_host: &[&Greeting]) -> Option<(usize, usize)> {
    let fewer = |ranks: usize, cores: usize| (ranks > cores).then_some((ranks, cores));
    let most = of_host.iter().map(|of| of.core_count as usize).max().unwrap_or(1);
    let sets: Option<Vec<&[u32]>> = of_host.iter().map(|of| of.cores.as_deref()).collect();
    let Some(sets) = sets else { return fewer(of_host.len(), most) };
    // A limit on processor time leaves a process fewer cores than those that it may run on.
    let is_limited =
        of_host.iter().zip(&sets).any(|(of, set)| (of.core_count as usize) < set.len());
    if is_limited {
        return fewer(of_host.len(), most);
    }
    let mut all: Vec<u32> = sets.concat();
    all.sort_unstable();
    all.dedup();
    let within = |cores: &[u32]| {
        let ranks = sets.iter().filter(|set| set.iter().all(|core| cores.contains(core))).count();
        fewer(ranks, cores.len())
    };
    within(&all).or_else(|| sets.iter().find_map(|set| within(set)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(host: &str, cores: Option<&[u32]>, core_count: u32) -> Greeting {
        let (host, build) = (host.to_owned(), "1".to_owned());
        Greeting { host, build, cores: cores.map(<[u32]>::to_vec), core_count }
    }

    /// A rank that is bound to one core, so that it alone knows of one core.
    fn bound(host: &str, core: u32) -> Greeting {
        greeting(host, Some(&[core]), 1)
    }

    #[test]
    fn a_host_with_more_ranks_than_cores_is_oversubscribed() {
        assert_eq!(oversubscription(&[bound("a", 0), bound("a", 1), bound("b", 0)]), None);
        let found = oversubscription(&[bound("a", 0), bound("b", 1), bound("b", 1)]);
        assert!(found.is_some_and(|text| text.starts_with("host `b` runs 2 ranks on 1 core,")));
        // Two ranks share a core although the host has one for each.
        let all = || greeting("a", Some(&[0, 1, 2, 3]), 4);
        let found = oversubscription(&[all(), bound("a", 1), bound("a", 1)]);
        assert!(found.is_some_and(|text| text.contains("2 ranks on 1 core,")));
        assert_eq!(oversubscription(&[all(), all(), bound("a", 1)]), None);
        // A limit on processor time counts, although the rank may run on every core.
        let limited = || greeting("a", Some(&[0, 1, 2, 3]), 1);
        assert!(oversubscription(&[limited(), limited()]).is_some());
        let unknown = || greeting("a", None, 2);
        assert_eq!(oversubscription(&[unknown(), unknown()]), None);
        assert!(oversubscription(&[unknown(), unknown(), unknown()]).is_some());
    }

    #[test]
    fn links_differ_where_some_ranks_share_a_host_and_others_do_not() {
        let of = |hosts: &[&str]| {
            let all: Vec<Greeting> = hosts.iter().map(|host| bound(host, 0)).collect();
            links_differ(&all)
        };
        assert!(!of(&["a", "b", "c"]) && !of(&["a", "a", "a"]));
        assert!(of(&["a", "a", "b"]) && of(&["a", "b", "a", "b"]));
    }
}
