#!/bin/sh
# Says where the root file systems of the tests are, which runc's own script of this name downloads.
image=$(dirname "$0")/testdata/image.tar
printf 'BUSYBOX_IMAGE=%s\nDEBIAN_IMAGE=%s\n' "$image" "$image"
