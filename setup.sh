#!/bin/sh
# Prepares a machine for warplaw. Repeated runs change nothing.
#
#   sh setup.sh              Install lavapipe, Mesa's software Vulkan driver, if no GPU driver is found.
#                            `cargo bench` and `cargo test` need a driver.
#   sh setup.sh --lavapipe   Install lavapipe even if a GPU driver is found, because `cargo test` needs it.
#   sh setup.sh --browser    Install Chromium, because `cargo test --test pages` needs it.
#   sh setup.sh --isa        Install compilers for GPUs: Clang, NVIDIA's assembler and, on Debian 12, Intel's compiler and
#                            Mesa 25. The ignored tests of `cargo test --test isa` and `cargo xtask isa` need them.
#                            NVIDIA's programs are under its own licence. They are kept in ~/.cache/warplaw/isa.
#   sh setup.sh --mpi        Install Open MPI, its headers and libclang, because `cargo build --features mpi` needs them.
set -eu

say() { printf 'setup: %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "error: this command needs root: $*; run setup.sh as root, or install sudo" >&2
        exit 1
    fi
}

install_browser() {
    for browser in google-chrome-stable google-chrome chromium chromium-browser; do
        if command -v "$browser" >/dev/null 2>&1; then
            say "$browser is already installed: nothing to do"
            return
        fi
    done
    if command -v apt-get >/dev/null 2>&1; then
        as_root apt-get update -q
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core
    elif command -v dnf >/dev/null 2>&1; then
        as_root dnf install -q -y chromium dejavu-sans-fonts
    elif command -v pacman >/dev/null 2>&1; then
        as_root pacman -S --noconfirm --needed chromium ttf-dejavu
    else
        say "error: found no apt-get, dnf or pacman; install Chromium or Chrome manually," \
            "or set CHROME to the path of its executable" >&2
        exit 1
    fi
}

# Installs Open MPI, and what the crate `mpi` needs to read its headers.
install_mpi() {
    if command -v mpicc >/dev/null 2>&1 && command -v mpirun >/dev/null 2>&1; then
        has_mpi=yes
    else
        has_mpi=
    fi
    if command -v apt-get >/dev/null 2>&1; then
        [ -n "$has_mpi" ] && dpkg -s libclang-dev >/dev/null 2>&1 && say "MPI is already installed: nothing to do" && return
        as_root apt-get update -q
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends openmpi-bin libopenmpi-dev libclang-dev
    elif command -v dnf >/dev/null 2>&1; then
        as_root dnf install -q -y openmpi-devel clang-devel
        say "open a new shell, and type: module load mpi"
    elif command -v pacman >/dev/null 2>&1; then
        as_root pacman -S --noconfirm --needed openmpi clang
    elif command -v brew >/dev/null 2>&1; then
        brew install open-mpi llvm
    else
        say "error: found no apt-get, dnf, pacman or brew; install Open MPI and libclang manually" >&2
        exit 1
    fi
}

# Downloads two packages of NVIDIA's from the Python Package Index and unpacks the programs that are needed.
install_nvidia() {
    [ -x "$1/ptxas" ] && [ -x "$1/nvdisasm" ] && return
    python3 -m pip download --quiet --no-deps --dest "$1/wheels" \
        nvidia-cuda-nvcc-cu12==12.9.86 nvidia-cuda-nvdisasm==13.5.37
    for wheel in "$1"/wheels/*.whl; do
        python3 -m zipfile -e "$wheel" "$1/wheels/unpacked"
    done
    for program in ptxas nvdisasm; do
        find "$1/wheels/unpacked" -name "$program" -type f -exec cp {} "$1/$program" \;
        chmod +x "$1/$program"
    done
    rm -r "$1/wheels"
}

# Succeeds on Debian 12.
is_bookworm() { grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; }

# Installs Intel's graphics compiler, and the Clang whose LLVM it reads.
install_intel() {
    command -v clang-14 >/dev/null 2>&1 && command -v ocloc >/dev/null 2>&1 && return
    if ! is_bookworm; then
        say "Intel's compiler is installed on Debian 12 alone: clang-14 or ocloc is missing"
        return
    fi
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends clang-14 intel-opencl-icd
}

# Unpacks the Mesa of Debian's backports beside the installed one, which stays as it is.
install_newer_mesa() {
    folder=$1
    [ -e "$folder/radeon_icd.json" ] && return
    if ! is_bookworm; then
        say "Mesa 25 is installed on Debian 12 alone"
        return
    fi
    work=$(mktemp -d)
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$folder/lib"
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$(sed -n 's/^URIs: *//p; s/^deb [^h]*\(http[^ ]*\) .*/\1/p' \
        /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
    echo "deb [signed-by=$keys] $mirror bookworm-backports main" >"$work/sources.list"
    set -- -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- \
        -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache"
    apt-get "$@" -q update
    (cd "$work" && apt-get "$@" -q download mesa-vulkan-drivers libdrm2 libdrm-amdgpu1)
    for package in "$work"/*.deb; do
        dpkg -x "$package" "$work/unpacked"
    done
    find "$work/unpacked" \( -name 'libvulkan_radeon.so' -o -name 'libdrm*.so*' \) -exec cp -P {} "$folder/lib" \;
    printf '{"file_format_version":"1.0.0","ICD":{"api_version":"1.3.0","library_path":"%s"}}\n' \
        "$folder/lib/libvulkan_radeon.so" >"$folder/radeon_icd.json"
    rm -r "$work"
}

install_compilers() {
    folder="${XDG_CACHE_HOME:-$HOME/.cache}/warplaw/isa"
    mkdir -p "$folder"
    if ! command -v clang-16 >/dev/null 2>&1 && ! command -v clang >/dev/null 2>&1; then
        if ! command -v apt-get >/dev/null 2>&1; then
            say "error: found no apt-get; install Clang 16 or newer manually" >&2
            exit 1
        fi
        as_root apt-get update -q
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends clang-16 python3-pip
    fi
    install_nvidia "$folder"
    install_intel
    install_newer_mesa "$folder"
    say "the compilers are in $folder"
}

case "${1:-}" in
'' | --lavapipe) ;;
--browser)
    install_browser
    exit 0
    ;;
--isa)
    install_compilers
    exit 0
    ;;
--mpi)
    install_mpi
    exit 0
    ;;
*)
    say "usage: sh setup.sh [--lavapipe | --browser | --isa | --mpi]" >&2
    exit 2
    ;;
esac

case "$(uname -s)" in
Linux) ;;
Darwin)
    say "macOS includes Metal: nothing to do"
    exit 0
    ;;
MINGW* | MSYS* | CYGWIN*)
    say "Windows includes DX12: nothing to do"
    exit 0
    ;;
*)
    say "setup.sh cannot install drivers on this operating system: install a Vulkan driver manually"
    exit 0
    ;;
esac

# Prints the paths of the driver manifests that the Vulkan loader finds, one per line.
manifests() {
    for folder in /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d /etc/vulkan/icd.d; do
        for manifest in "$folder"/*.json; do
            [ -e "$manifest" ] && printf '%s\n' "$manifest"
        done
    done
    return 0
}

# Succeeds if the Vulkan loader is installed.
has_loader() {
    for folder in /usr/lib /usr/lib64 /usr/lib/*-linux-gnu* /usr/local/lib; do
        [ -e "$folder/libvulkan.so.1" ] && return 0
    done
    return 1
}

# Succeeds if the Vulkan loader and lavapipe are installed.
has_lavapipe() { has_loader && manifests | grep -q lvp_icd; }

# Succeeds if a GPU driver is installed and the system has a GPU device node.
has_hardware() {
    has_loader && manifests | grep -qv lvp_icd || return 1
    for node in /dev/dri/renderD* /dev/nvidia0 /dev/dxg /dev/kgsl-3d0 /dev/mali0; do
        [ -e "$node" ] && return 0
    done
    return 1
}

if has_lavapipe; then
    say "lavapipe (software Vulkan) is already installed: nothing to do"
    exit 0
fi
if has_hardware && [ "${1:-}" != --lavapipe ]; then
    say "found a GPU with a Vulkan driver: nothing to do"
    exit 0
fi

say "installing lavapipe, Mesa's software Vulkan driver"
if command -v apt-get >/dev/null 2>&1; then
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends mesa-vulkan-drivers libvulkan1
elif command -v dnf >/dev/null 2>&1; then
    as_root dnf install -q -y mesa-vulkan-drivers vulkan-loader
elif command -v pacman >/dev/null 2>&1; then
    as_root pacman -S --noconfirm --needed vulkan-swrast vulkan-icd-loader || {
        say "error: pacman failed; its package lists may be old: run pacman -Syu, then setup.sh again" >&2
        exit 1
    }
else
    say "error: found no apt-get, dnf or pacman; install Mesa's lavapipe and the Vulkan loader manually" >&2
    exit 1
fi

if ! has_lavapipe; then
    say "error: Mesa is installed, but the Vulkan loader does not find its lavapipe driver" >&2
    exit 1
fi
say "lavapipe (software Vulkan) is ready"
