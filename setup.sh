#!/bin/sh
# Makes sure that there is a GPU adapter to measure: does nothing where one works, installs software
# Vulkan (Mesa's lavapipe) where there is none. Run it as often as you like.
#
#   sh setup.sh              for `cargo bench`, and for `cargo test` on a machine without a GPU
#   sh setup.sh --lavapipe   lavapipe beside a real GPU, for `cargo test`
#   sh setup.sh --browser    Chromium, for `cargo test --test pages`
set -eu

say() { printf 'setup: %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        say "this needs root: $*" >&2
        exit 1
    fi
}

install_browser() {
    for browser in google-chrome-stable google-chrome chromium chromium-browser; do
        if command -v "$browser" >/dev/null 2>&1; then
            say "$browser is installed: nothing to do"
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
        say "install Chromium or Chrome by hand, or name one in CHROME" >&2
        exit 1
    fi
}

case "${1:-}" in
'' | --lavapipe) ;;
--browser)
    install_browser
    exit 0
    ;;
*)
    say "usage: sh setup.sh [--lavapipe | --browser]" >&2
    exit 2
    ;;
esac

case "$(uname -s)" in
Linux) ;;
Darwin)
    say "macOS has Metal: nothing to do"
    exit 0
    ;;
MINGW* | MSYS* | CYGWIN*)
    say "Windows has DX12: nothing to do"
    exit 0
    ;;
*)
    say "on this system, install a Vulkan driver by hand"
    exit 0
    ;;
esac

# Driver manifests that the Vulkan loader would find, one a line.
manifests() {
    for folder in /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d /etc/vulkan/icd.d; do
        for manifest in "$folder"/*.json; do
            [ -e "$manifest" ] && printf '%s\n' "$manifest"
        done
    done
    return 0
}

has_loader() {
    for folder in /usr/lib /usr/lib64 /usr/lib/*-linux-gnu* /usr/local/lib; do
        [ -e "$folder/libvulkan.so.1" ] && return 0
    done
    return 1
}

has_lavapipe() { has_loader && manifests | grep -q lvp_icd; }

# A driver for hardware, and hardware for the driver.
has_hardware() {
    has_loader && manifests | grep -qv lvp_icd || return 1
    for node in /dev/dri/renderD* /dev/nvidia0 /dev/dxg /dev/kgsl-3d0 /dev/mali0; do
        [ -e "$node" ] && return 0
    done
    return 1
}

if has_lavapipe; then
    say "software Vulkan is installed: nothing to do"
    exit 0
fi
if has_hardware && [ "${1:-}" != --lavapipe ]; then
    say "a GPU with a Vulkan driver is here: nothing to do"
    exit 0
fi

say "no GPU adapter found: installing Mesa's software Vulkan"
if command -v apt-get >/dev/null 2>&1; then
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends mesa-vulkan-drivers libvulkan1
elif command -v dnf >/dev/null 2>&1; then
    as_root dnf install -q -y mesa-vulkan-drivers vulkan-loader
elif command -v pacman >/dev/null 2>&1; then
    as_root pacman -S --noconfirm --needed vulkan-swrast vulkan-icd-loader || {
        say "pacman's package lists may be old: run pacman -Syu, then this again" >&2
        exit 1
    }
else
    say "no apt, dnf or pacman here: install Mesa's lavapipe and the Vulkan loader by hand" >&2
    exit 1
fi

if ! has_lavapipe; then
    say "Mesa is installed, but its lavapipe driver is not where the Vulkan loader looks" >&2
    exit 1
fi
say "software Vulkan is ready"
