#!/bin/sh
# Puts the binaries, systemd units and shell completions in place. DESTDIR, BINDIR, LIBEXECDIR, UNITDIR, USERUNITDIR
# and SHAREDIR come from make.
# usage: eng/install.sh DIRECTORY_OF_THE_BINARIES
set -eu
out=$1

install -d "$DESTDIR$BINDIR" "$DESTDIR$LIBEXECDIR" "$DESTDIR$UNITDIR" "$DESTDIR$USERUNITDIR"
install -m 755 "$out/wherry" "$out/wherryd" "$DESTDIR$BINDIR/"
# The supervisor is nobody's command; the engine finds it here. Its other name is an OCI runtime for others.
install -m 755 "$out/wherry-shim" "$DESTDIR$LIBEXECDIR/wherry-shim"
ln -sfn "$LIBEXECDIR/wherry-shim" "$DESTDIR$BINDIR/wherry-oci"

sed "s|@BINDIR@|$BINDIR|g; s|@LIBEXECDIR@|$LIBEXECDIR|g" eng/wherryd.service.in >"$DESTDIR$UNITDIR/wherryd.service"
sed "s|@BINDIR@|$BINDIR|g" eng/wherry-registry.service.in >"$DESTDIR$UNITDIR/wherry-registry.service"
# The same name among the users' own units: 'systemctl --user start wherryd' is an engine without root.
sed "s|@BINDIR@|$BINDIR|g" eng/wherryd-user.service.in >"$DESTDIR$USERUNITDIR/wherryd.service"
chmod 644 "$DESTDIR$USERUNITDIR/wherryd.service"
chmod 644 "$DESTDIR$UNITDIR/wherryd.service" "$DESTDIR$UNITDIR/wherry-registry.service"

write_completion() { # SHELL FILE
    install -d "$DESTDIR$(dirname "$2")"
    "$out/wherry" completion "$1" >"$DESTDIR$2"
    chmod 644 "$DESTDIR$2"
}
write_completion bash "$SHAREDIR/bash-completion/completions/wherry"
write_completion zsh "$SHAREDIR/zsh/site-functions/_wherry"
write_completion fish "$SHAREDIR/fish/vendor_completions.d/wherry.fish"

echo "installed in $DESTDIR$BINDIR, $DESTDIR$LIBEXECDIR and $DESTDIR$UNITDIR"
if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    echo "start the engine with: systemctl enable --now wherryd"
    echo "any user may run one of his own: systemctl --user enable --now wherryd (docs/rootless.md)"
    echo "a registry, if you want one: write /etc/wherry/registry.json (docs/registry-server.md), then systemctl enable --now wherry-registry"
fi
