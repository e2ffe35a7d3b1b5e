//! Which module may import which, and that no import goes round in a circle: read off the syntax of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// Who may import whom. `cli` may see all, and nothing sees `cli`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("stats", &["model"]),
    ("gpu", &["model"]),
    ("kernels", &["gpu"]),
    ("sim", &["gpu", "model"]),
    ("predict", &["model"]),
    ("bench", &["gpu", "kernels", "model", "predict", "stats"]),
    ("experiments", &["bench", "gpu", "kernels", "model", "predict", "stats"]),
    ("report", &["model", "predict", "stats"]),
    (
        "cli",
        &["bench", "experiments", "gpu", "kernels", "model", "predict", "report", "sim", "stats"],
    ),
];

/// A module by its path from the crate's root.
type Module = Vec<String>;

/// A source file.
struct Source {
    module: Module,
    syntax: syn::File,
}

fn paths(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            paths(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every module of the library.
fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut found = Vec::new();
    paths(&src, &mut found);
    let binary = src.join("main.rs");
    found.retain(|path| *path != binary);
    let read = |path: PathBuf| {
        let relative = path.strip_prefix(&src).expect("it lies under src").with_extension("");
        let mut module: Module =
            relative.components().map(|part| part.as_os_str().to_string_lossy().into()).collect();
        if ["mod", "lib"].contains(&module.last().map_or("", String::as_str)) {
            module.pop();
        }
        let text = std::fs::read_to_string(&path).expect("a source is text");
        Source { module, syntax: syn::parse_file(&text).expect("a source is Rust") }
    };
    found.into_iter().map(read).collect()
}

/// Collects the paths that a file names, in `use` and anywhere else, tests left out.
#[derive(Default)]
struct Names {
    named: BTreeSet<Vec<String>>,
    /// Of `pub use`: the name by which something of a child is offered, and where it comes from.
    offered: Vec<(String, Vec<String>)>,
}

impl Names {
    fn add_tree(&mut self, tree: &syn::UseTree, before: &[String], offers: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&path.tree, &with(&path.ident), offers),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(tree, before, offers));
            }
            syn::UseTree::Name(name) if name.ident == "self" => self.add(before.to_vec(), None),
            syn::UseTree::Name(name) => {
                self.add(with(&name.ident), offers.then(|| name.ident.to_string()));
            }
            syn::UseTree::Rename(rename) => {
                self.add(with(&rename.ident), offers.then(|| rename.rename.to_string()));
            }
            syn::UseTree::Glob(_) => self.add(before.to_vec(), None),
        }
    }

    fn add(&mut self, path: Vec<String>, offered_as: Option<String>) {
        match offered_as {
            Some(name) => self.offered.push((name, path)),
            None => drop(self.named.insert(path)),
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|what| what == "test")
    })
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let offers = !matches!(item.vis, syn::Visibility::Inherited);
        self.add_tree(&item.tree, &[], offers);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if words.len() > 1 {
            self.named.insert(words);
        }
        visit::visit_path(self, path);
    }
}

/// For each file the files that it imports from; through a module that only offers what its children hold, the child.
fn imports() -> BTreeMap<Module, BTreeSet<Module>> {
    let sources = sources();
    let modules: BTreeSet<Module> = sources.iter().map(|source| source.module.clone()).collect();
    let mut names: BTreeMap<Module, Names> = BTreeMap::new();
    for source in &sources {
        let mut found = Names::default();
        found.visit_file(&source.syntax);
        names.insert(source.module.clone(), found);
    }
    let resolve = |from: &Module, path: &[String]| find(from, path, &modules, &names, 0);
    let mut imports: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
    for (module, found) in &names {
        let targets = found.named.iter().filter_map(|path| resolve(module, path));
        let targets = targets.filter(|target| target != module && !target.is_empty());
        imports.insert(module.clone(), targets.collect());
    }
    imports
}

/// The file that holds what `path`, named in `from`, is.
fn find(
    from: &Module,
    path: &[String],
    modules: &BTreeSet<Module>,
    names: &BTreeMap<Module, Names>,
    depth: usize,
) -> Option<Module> {
    let mut at: Module = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" => from.clone(),
        "super" => from.split_last()?.1.to_vec(),
        first => {
            let child = [from.as_slice(), &[first.to_owned()]].concat();
            if !modules.contains(&child) {
                return None;
            }
            child
        }
    };
    for (index, word) in path.iter().enumerate().skip(1) {
        if word == "super" {
            at.pop();
            continue;
        }
        let child = [at.as_slice(), std::slice::from_ref(word)].concat();
        if modules.contains(&child) {
            at = child;
            continue;
        }
        let offered = names.get(&at).and_then(|names| {
            names.offered.iter().find(|(name, _)| name == word).map(|(_, path)| path)
        });
        if let Some(of) = offered.filter(|_| depth < 8) {
            let whole = [of.as_slice(), &path[index + 1..]].concat();
            return find(&at, &whole, modules, names, depth + 1).or(Some(at));
        }
        break;
    }
    Some(at)
}

/// The modules along a circle, if there is one.
fn circle<T: Clone + Ord>(edges: &BTreeMap<T, BTreeSet<T>>) -> Option<Vec<T>> {
    fn search<T: Clone + Ord>(
        at: &T,
        edges: &BTreeMap<T, BTreeSet<T>>,
        way: &mut Vec<T>,
        done: &mut BTreeSet<T>,
    ) -> Option<Vec<T>> {
        if let Some(start) = way.iter().position(|before| before == at) {
            return Some(way[start..].to_vec());
        }
        if done.contains(at) {
            return None;
        }
        way.push(at.clone());
        let next = edges.get(at).into_iter().flatten();
        let found = next.into_iter().find_map(|next| search(next, edges, way, done));
        way.pop();
        done.insert(at.clone());
        found
    }
    let mut done = BTreeSet::new();
    edges.keys().find_map(|start| search(start, edges, &mut Vec::new(), &mut done))
}

fn top(module: &Module) -> &str {
    module.first().map_or("lib", String::as_str)
}

#[test]
fn modules_import_only_what_the_design_allows() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    for (module, targets) in imports().iter().filter(|(module, _)| !module.is_empty()) {
        let may = allowed.get(top(module)).unwrap_or_else(|| panic!("no rule for {module:?}"));
        for target in targets {
            let own = top(target) == top(module);
            assert!(own || may.contains(&top(target)), "{module:?} imports {target:?}");
        }
    }
}

#[test]
fn no_import_goes_round_in_a_circle() {
    let mut imports = imports();
    // The crate's front page names everything.
    imports.remove(&Vec::new());
    let circle = circle(&imports);
    let said = circle.map(|way| way.iter().map(|m| m.join("::")).collect::<Vec<_>>().join(" → "));
    assert_eq!(said, None);
}

#[test]
fn the_reader_of_imports_sees_what_it_must() {
    let text = "use crate::gpu::X; use crate::{model, stats::{self, Y}}; use super::plan::Plan;
        pub use child::Offered; fn f() { crate::report::render(child::g()) }
        #[cfg(test)] mod tests { use crate::cli::X; }";
    let mut names = Names::default();
    names.visit_file(&syn::parse_file(text).expect("it is Rust"));
    let joined: Vec<String> = names.named.iter().map(|path| path.join("::")).collect();
    let expected = [
        "child::g",
        "crate::gpu::X",
        "crate::model",
        "crate::report::render",
        "crate::stats",
        "crate::stats::Y",
        "super::plan::Plan",
    ];
    assert_eq!(joined, expected);
    assert_eq!(
        names.offered,
        [("Offered".to_owned(), ["child", "Offered"].map(str::to_owned).into())]
    );
    let edges = |pairs: &[(u8, u8)]| {
        let mut edges: BTreeMap<u8, BTreeSet<u8>> = BTreeMap::new();
        for &(a, b) in pairs {
            edges.entry(a).or_default().insert(b);
        }
        edges
    };
    assert_eq!(circle(&edges(&[(1, 2), (2, 3), (1, 3)])), None);
    assert_eq!(circle(&edges(&[(1, 2), (2, 3), (3, 2)])), Some(vec![2, 3]));
}

/// Where an experiment's knowledge does not belong: only the frozen table of labels of old records names any.
#[test]
fn no_module_below_the_registry_names_an_experiment() {
    let ids = warplaw::experiments::REGISTRY.iter().map(|experiment| experiment.id);
    let old = warplaw::model::ALIASES.iter().map(|(old, _)| *old);
    let quoted: Vec<String> = ids.chain(old).map(|id| format!("\"{id}\"")).collect();
    for module in ["report", "model", "stats", "bench", "gpu", "sim", "predict"] {
        let mut found = Vec::new();
        paths(&root().join("src").join(module), &mut found);
        found.retain(|path| !path.starts_with(root().join("src/model/v1")));
        for path in found {
            let text = std::fs::read_to_string(&path).expect("a source is text");
            let code = text.split("#[cfg(test)]").next().unwrap_or("");
            let named = quoted.iter().find(|id| code.contains(id.as_str()));
            assert_eq!(named, None, "{}", path.display());
        }
    }
}

#[test]
fn no_timing_outside_the_modules_that_time() {
    let mut files = Vec::new();
    for module in ["stats", "kernels", "experiments", "model", "predict", "report"] {
        paths(&root().join("src").join(module), &mut files);
    }
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source is text");
        assert!(
            !text.contains("Instant") && !text.contains("SystemTime"),
            "{} looks at a clock",
            file.display()
        );
    }
}

#[test]
fn unsafe_code_is_confined_to_one_module() {
    let mut files = Vec::new();
    ["src", "benches", "tests"].iter().for_each(|folder| paths(&root().join(folder), &mut files));
    let holds = |file: &&PathBuf| {
        let text = std::fs::read_to_string(file).expect("a source is text");
        // As a word of the language: not in a comment, a string or a lint's name.
        let code = text.lines().map(|line| line.split("//").next().unwrap_or(""));
        code.into_iter().any(|line| line.contains(concat!("unsafe", " ")) && !line.contains('"'))
    };
    let with: Vec<_> = files.iter().filter(holds).map(|file| file.strip_prefix(root())).collect();
    assert_eq!(with, [Ok(Path::new("src/gpu/unchecked.rs"))]);
}

/// Its folder, with what the design asks of it, and what it says of itself.
#[test]
fn every_experiment_is_one_folder_and_sane() {
    for experiment in warplaw::experiments::REGISTRY {
        let folder = root().join("src/experiments").join(experiment.id);
        assert!(folder.join("mod.rs").exists(), "{}", folder.display());
        let tolerance = experiment.tolerance;
        assert!(tolerance.ratio > 0.0 && tolerance.ratio <= 0.5, "{}", experiment.id);
        assert!(tolerance.reason.len() > 20, "{} needs a reason", experiment.id);
        if let Some(law) = experiment.predict {
            assert_eq!(law.name, experiment.id);
            assert!(folder.join("predict.rs").exists(), "{}", folder.display());
        }
    }
}
