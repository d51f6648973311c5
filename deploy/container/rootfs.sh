#!/bin/sh
# Makes in $1 the file system that the image starts from: Debian's Python, and the libraries that it takes. No package
# manager, no Perl, no documentation; BusyBox is the shell. Needs apt, as root; nothing of it is installed here.
set -eu
root=$1
wanted="base-files busybox ca-certificates libstdc++6 media-types netbase python3.13 tini tzdata"
# What comes along and is not needed: programs for building and setting up, and what Python does without.
left_out="debconf gcc-14-base libdb5.3t64 mawk openssl openssl-provider-legacy readline-common libreadline8t64
    libncursesw6 libtinfo6"

packages=$(mktemp -d)
: >"$packages/none-installed"
mkdir -p "$packages/partial"
# shellcheck disable=SC2086  # one word each
apt-get --quiet --quiet --yes --no-install-recommends --download-only \
    -o Dir::State::status="$packages/none-installed" -o Dir::Cache::archives="$packages" install $wanted
for name in $left_out; do
    rm "$packages/$name"_*.deb # fails where Debian has renamed it
done

mkdir -p "$root/var/lib/dpkg/status.d"
dpkg-deb --extract "$packages"/base-files_*.deb "$root" # first: it has the links /bin and /lib
for package in "$packages"/*.deb; do
    dpkg-deb --extract "$package" "$root"
    # Scanners of images read here what is installed.
    dpkg-deb --field "$package" >"$root/var/lib/dpkg/status.d/$(dpkg-deb --field "$package" Package)"
done
rm -r "$packages"

# Licences stay: usr/share/doc/*/copyright.
find "$root/usr/share/doc" ! -type d ! -name copyright -delete
find "$root/usr/share/doc" -type d -empty -delete
rm -rf "$root"/usr/share/man "$root"/usr/share/locale "$root"/usr/share/lintian "$root"/usr/share/info \
    "$root"/usr/share/applications "$root"/usr/share/pixmaps "$root"/usr/share/bug "$root"/usr/share/debconf \
    "$root"/usr/lib/*/gconv "$root"/usr/lib/*/engines-3 "$root"/usr/share/initramfs-tools "$root"/usr/share/gcc "$root"/usr/share/gdb \
    "$root"/usr/lib/python3.13/pydoc_data "$root"/usr/lib/python3.13/ensurepip "$root"/usr/lib/python3.13/turtle.py \
    "$root"/usr/lib/python3.13/test "$root"/usr/lib/python3.13/lib-dynload/_test* "$root"/usr/lib/python3.13/lib-dynload/xxlimited* \
    "$root"/usr/lib/python3.13/lib-dynload/readline.* "$root"/usr/lib/python3.13/lib-dynload/_dbm.* \
    "$root"/usr/lib/python3.13/lib-dynload/_curses* "$root"/usr/sbin "$root"/usr/bin/tini-static

ln -s python3.13 "$root/usr/bin/python3"
# What people type who look into a container, and what `reprocess` calls.
for applet in sh basename cat cp cut date df dirname du echo env false find free grep head hostname id kill less ln ls \
    mkdir mktemp mv nproc printenv printf ps pwd readlink realpath rm rmdir sed sleep sort stat tail tar test top touch tr \
    true uniq vi wc wget whoami xargs; do
    ln -s busybox "$root/usr/bin/$applet"
done

# What the packages' own scripts would do.
mkdir -p "$root/etc/ssl/certs" "$root/usr/lib/ssl"
find "$root/usr/share/ca-certificates" -name '*.crt' | sort | xargs cat >"$root/etc/ssl/certs/ca-certificates.crt"
rm -r "$root/usr/share/ca-certificates"
ln -s /etc/ssl/certs "$root/usr/lib/ssl/certs"
ln -s /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'gallimg:x:10001:10001::/data:/bin/sh' 'nobody:x:65534:65534::/:/bin/false' \
    >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'gallimg:x:10001:' 'nogroup:x:65534:' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/run"
install -d -m 1777 "$root/tmp"
install -d -m 0700 -o 10001 -g 10001 "$root/data"
