#!/bin/sh
# Removes what install.sh put in place; with PURGE=1 also every trace of containers, images and networks.
set -eu

if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ] && [ -e "$UNITDIR/wherryd.service" ]; then
    systemctl disable --now wherryd.service >/dev/null 2>&1 || true
fi

if [ -n "$PURGE" ] && [ -z "$DESTDIR" ]; then
    [ "$(id -u)" -eq 0 ] || { echo "removing the system's state needs root: sudo make uninstall PURGE=1; eng/purge.sh removes your own" >&2; exit 1; }
    eng/purge.sh
fi

if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ] && [ -e "$UNITDIR/wherry-registry.service" ]; then
    systemctl disable --now wherry-registry.service >/dev/null 2>&1 || true
fi

if [ -n "$PURGE" ] && [ -z "$DESTDIR" ]; then rm -rf /var/lib/wherry-registry /var/lib/private/wherry-registry; fi

rm -f "$DESTDIR$BINDIR/wherry" "$DESTDIR$BINDIR/wherryd" "$DESTDIR$BINDIR/wherry-oci"
rm -rf "$DESTDIR$LIBEXECDIR"
rm -f "$DESTDIR$UNITDIR/wherryd.service" "$DESTDIR$USERUNITDIR/wherryd.service" "$DESTDIR$UNITDIR/wherry-registry.service" \
    "$DESTDIR$SHAREDIR/bash-completion/completions/wherry" \
    "$DESTDIR$SHAREDIR/zsh/site-functions/_wherry" \
    "$DESTDIR$SHAREDIR/fish/vendor_completions.d/wherry.fish"
if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi

echo "removed the programs"
if [ -z "$PURGE" ] && [ -d /var/lib/wherry ]; then
    echo "images, containers and volumes stay in /var/lib/wherry; make uninstall PURGE=1 removes them too"
fi
