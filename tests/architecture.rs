//! Checks of the crate's structure, read from the syntax and the text of the sources.
//!
//! Modules import only what the design allows, imports form no cycle, and no module below the registry names
//! an experiment. Only some modules read a clock, and only two files contain unsafe code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// Modules that each module may import. `cli` may import every module, and no module may import `cli`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("stats", &["model"]),
    ("gpu", &["model"]),
    ("kernels", &["gpu"]),
    ("simt", &["model"]),
    ("profile", &["gpu", "model", "simt", "stats"]),
    ("ranks", &["gpu", "kernels", "model"]),
    ("sim", &["gpu", "model", "ranks", "simt"]),
    ("predict", &["model"]),
    ("bench", &["gpu", "kernels", "model", "predict", "stats"]),
    ("experiments", &["bench", "gpu", "kernels", "model", "predict", "ranks", "stats"]),
    ("report", &["model", "predict", "stats"]),
    (
        "cli",
        &[
            "bench",
            "experiments",
            "gpu",
            "kernels",
            "model",
            "predict",
            "profile",
            "ranks",
            "report",
            "sim",
            "simt",
            "stats",
        ],
    ),
];

/// Path of a module from the crate root.
type Module = Vec<String>;

/// A parsed source file.
struct Source {
    module: Module,
    syntax: syn::File,
}

/// Adds the paths of all Rust files below `folder` to `found`.
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

/// Parses every source file of the library. `main.rs` belongs to the binary and is left out.
fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut found = Vec::new();
    paths(&src, &mut found);
    let binary = src.join("main.rs");
    found.retain(|path| *path != binary);
    let read = |path: PathBuf| {
        let relative = path.strip_prefix(&src).expect("the file is under src").with_extension("");
        let mut module: Module =
            relative.components().map(|part| part.as_os_str().to_string_lossy().into()).collect();
        if ["mod", "lib"].contains(&module.last().map_or("", String::as_str)) {
            module.pop();
        }
        let text = std::fs::read_to_string(&path).expect("a source file is UTF-8");
        Source { module, syntax: syn::parse_file(&text).expect("a source file is Rust") }
    };
    found.into_iter().map(read).collect()
}

/// Collects the paths that a file names in `use` items and elsewhere. Leaves out modules under `#[cfg(test)]`.
#[derive(Default)]
struct Names {
    named: BTreeSet<Vec<String>>,
    /// Re-exports (`pub use`): the exported name and the path of the re-exported item.
    reexports: Vec<(String, Vec<String>)>,
}

impl Names {
    fn add_tree(&mut self, tree: &syn::UseTree, prefix: &[String], is_reexport: bool) {
        let with = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => {
                self.add_tree(&path.tree, &with(&path.ident), is_reexport);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(tree, prefix, is_reexport));
            }
            syn::UseTree::Name(name) if name.ident == "self" => self.add(prefix.to_vec(), None),
            syn::UseTree::Name(name) => {
                self.add(with(&name.ident), is_reexport.then(|| name.ident.to_string()));
            }
            syn::UseTree::Rename(rename) => {
                self.add(with(&rename.ident), is_reexport.then(|| rename.rename.to_string()));
            }
            syn::UseTree::Glob(_) => self.add(prefix.to_vec(), None),
        }
    }

    fn add(&mut self, path: Vec<String>, exported_as: Option<String>) {
        match exported_as {
            Some(name) => self.reexports.push((name, path)),
            None => drop(self.named.insert(path)),
        }
    }
}

/// Returns whether the attributes include `#[cfg(test)]`.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_reexport = !matches!(item.vis, syn::Visibility::Inherited);
        self.add_tree(&item.tree, &[], is_reexport);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> =
            path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.named.insert(segments);
        }
        visit::visit_path(self, path);
    }
}

/// Returns the modules that each module imports from.
///
/// An item that a module re-exports from a child counts as an import from the child.
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

/// Returns the module that defines the item that `path` names inside the module `from`.
///
/// Returns `None` if `path` does not start in this crate. `depth` counts the re-exports followed so far. The
/// search follows at most 8 of them.
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
    for (index, segment) in path.iter().enumerate().skip(1) {
        if segment == "super" {
            at.pop();
            continue;
        }
        let child = [at.as_slice(), std::slice::from_ref(segment)].concat();
        if modules.contains(&child) {
            at = child;
            continue;
        }
        let reexported = names.get(&at).and_then(|names| {
            names.reexports.iter().find(|(name, _)| name == segment).map(|(_, path)| path)
        });
        if let Some(source) = reexported.filter(|_| depth < 8) {
            let full_path = [source.as_slice(), &path[index + 1..]].concat();
            return find(&at, &full_path, modules, names, depth + 1).or(Some(at));
        }
        break;
    }
    Some(at)
}

/// Returns the nodes of a cycle in `edges`, or `None` if `edges` has no cycle.
fn find_cycle<T: Clone + Ord>(edges: &BTreeMap<T, BTreeSet<T>>) -> Option<Vec<T>> {
    fn search<T: Clone + Ord>(
        at: &T,
        edges: &BTreeMap<T, BTreeSet<T>>,
        path: &mut Vec<T>,
        done: &mut BTreeSet<T>,
    ) -> Option<Vec<T>> {
        if let Some(start) = path.iter().position(|earlier| earlier == at) {
            return Some(path[start..].to_vec());
        }
        if done.contains(at) {
            return None;
        }
        path.push(at.clone());
        let next = edges.get(at).into_iter().flatten();
        let found = next.into_iter().find_map(|next| search(next, edges, path, done));
        path.pop();
        done.insert(at.clone());
        found
    }
    let mut done = BTreeSet::new();
    edges.keys().find_map(|start| search(start, edges, &mut Vec::new(), &mut done))
}

/// Returns the name of the top-level module that contains `module`, or "lib" for the crate root.
fn top(module: &Module) -> &str {
    module.first().map_or("lib", String::as_str)
}

#[test]
fn modules_import_only_what_the_design_allows() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    for (module, targets) in imports().iter().filter(|(module, _)| !module.is_empty()) {
        let may = allowed
            .get(top(module))
            .unwrap_or_else(|| panic!("MAY_IMPORT has no rule for {module:?}"));
        for target in targets {
            let internal = top(target) == top(module);
            assert!(
                internal || may.contains(&top(target)),
                "{module:?} imports {target:?}, which MAY_IMPORT does not allow"
            );
        }
    }
}

#[test]
fn imports_form_no_cycle() {
    let mut imports = imports();
    // The crate root names every module, so it is left out.
    imports.remove(&Vec::new());
    let cycle = find_cycle(&imports)
        .map(|modules| modules.iter().map(|m| m.join("::")).collect::<Vec<_>>().join(" → "));
    assert_eq!(cycle, None);
}

#[test]
fn imports_and_reexports_and_cycles_are_found() {
    let text = "use crate::gpu::X; use crate::{model, stats::{self, Y}}; use super::plan::Plan;
        pub use child::Offered; fn f() { crate::report::render(child::g()) }
        #[cfg(test)] mod tests { use crate::cli::X; }";
    let mut names = Names::default();
    names.visit_file(&syn::parse_file(text).expect("the text is Rust"));
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
        names.reexports,
        [("Offered".to_owned(), ["child", "Offered"].map(str::to_owned).into())]
    );
    let edges = |pairs: &[(u8, u8)]| {
        let mut edges: BTreeMap<u8, BTreeSet<u8>> = BTreeMap::new();
        for &(a, b) in pairs {
            edges.entry(a).or_default().insert(b);
        }
        edges
    };
    assert_eq!(find_cycle(&edges(&[(1, 2), (2, 3), (1, 3)])), None);
    assert_eq!(find_cycle(&edges(&[(1, 2), (2, 3), (3, 2)])), Some(vec![2, 3]));
}

/// Results describe themselves, so these modules hold no table of experiments. The one exception is
/// `src/model/v1`, the frozen table of labels for old records.
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
            let text = std::fs::read_to_string(&path).expect("a source file is UTF-8");
            let code = text.split("#[cfg(test)]").next().unwrap_or("");
            let named = quoted.iter().find(|id| code.contains(id.as_str()));
            assert_eq!(named, None, "{} names an experiment", path.display());
        }
    }
}

#[test]
fn modules_that_do_not_time_read_no_clock() {
    let mut files = Vec::new();
    for module in ["stats", "kernels", "experiments", "model", "predict", "report"] {
        paths(&root().join("src").join(module), &mut files);
    }
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file is UTF-8");
        assert!(
            !text.contains("Instant") && !text.contains("SystemTime"),
            "{} reads a clock",
            file.display()
        );
    }
}

#[test]
fn unsafe_code_is_confined_to_two_files() {
    let mut files = Vec::new();
    ["src", "benches", "tests"].iter().for_each(|folder| paths(&root().join(folder), &mut files));
    let uses_keyword = |file: &&PathBuf| {
        let text = std::fs::read_to_string(file).expect("a source file is UTF-8");
        // Only the keyword counts, so comments, strings and lint names are left out.
        let code = text.lines().map(|line| line.split("//").next().unwrap_or(""));
        code.into_iter().any(|line| line.contains(concat!("unsafe", " ")) && !line.contains('"'))
    };
    let unsafe_files: BTreeSet<&Path> = files
        .iter()
        .filter(uses_keyword)
        .filter_map(|file| file.strip_prefix(root()).ok())
        .collect();
    let two = ["src/gpu/unchecked.rs", "src/ranks/mpi/tool.rs"];
    assert_eq!(unsafe_files, two.map(Path::new).into());
}

#[test]
fn every_experiment_has_its_folder_and_a_reasoned_tolerance() {
    for experiment in warplaw::experiments::REGISTRY {
        let folder = root().join("src/experiments").join(experiment.id);
        assert!(folder.join("mod.rs").exists(), "{} has no mod.rs", folder.display());
        let tolerance = experiment.tolerance;
        assert!(tolerance.ratio > 0.0 && tolerance.ratio <= 0.5, "{}", experiment.id);
        assert!(tolerance.reason.len() > 20, "the tolerance of {} needs a reason", experiment.id);
        if let Some(law) = experiment.predict {
            assert_eq!(law.name, experiment.id);
            assert!(folder.join("predict.rs").exists(), "{} has no predict.rs", folder.display());
        }
    }
}
