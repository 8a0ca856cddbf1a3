"""The Debian packages of what builds look for: headers, programs, pkg-config and CMake packages, by their names.

Debian 12 and 13 and Ubuntu 22.04 and 24.04 have these packages by these names; what is too new for one of them is not
there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

#: By package: headers as they are included, programs, pkg-config packages (`.pc`), CMake packages (`.cmake`), and
#: libraries (`.so`).
_NAMES = {
    "build-essential": "gcc cc x86_64-linux-gnu-gcc aarch64-linux-gnu-gcc g++ x86_64-linux-gnu-g++ make",
    "cargo-web | cargo": "cargo rustc",
    "autoconf": "autoconf autoreconf",
    "automake": "automake aclocal",
    "bison": "bison",
    "cmake": "cmake",
    "default-libmysqlclient-dev": "mysql.h mysql_config mysqlclient.pc libmysqlclient.so",
    "flex": "flex",
    "freetds-dev": "sqlfront.h sybdb.h sybfront.h libsybdb.so",
    "gettext": "msgfmt xgettext",
    "gfortran": "gfortran",
    "gperf": "gperf",
    "graphviz": "dot",
    "libacl1-dev": "sys/acl.h libacl.pc libacl.so",
    "libaio-dev": "libaio.h libaio.so",
    "libapt-pkg-dev": "apt-pkg/init.h apt-pkg.pc",
    "libarchive-dev": "archive.h libarchive.pc LibArchive.cmake libarchive.so",
    "libasound2-dev": "alsa/asoundlib.h alsa.pc ALSA.cmake libasound.so",
    "libassuan-dev": "assuan.h libassuan.pc",
    "libattr1-dev": "attr/attributes.h libattr.pc",
    "libaudit-dev": "libaudit.h audit.pc",
    "libavcodec-dev": "libavcodec/avcodec.h libavcodec.pc",
    "libavdevice-dev": "libavdevice/avdevice.h libavdevice.pc",
    "libavfilter-dev": "libavfilter/avfilter.h libavfilter.pc",
    "libavformat-dev": "libavformat/avformat.h libavformat.pc",
    "libavutil-dev": "libavutil/avutil.h libavutil.pc",
    "libbluetooth-dev": "bluetooth/bluetooth.h bluez.pc libbluetooth.so",
    "libbrotli-dev": "brotli/decode.h brotli/encode.h libbrotlidec.pc libbrotlienc.pc",
    "libbz2-dev": "bzlib.h bzip2.pc BZip2.cmake libbz2.so",
    "libc-ares-dev": "ares.h libcares.pc c-ares.cmake libcares.so",
    "libcairo2-dev": "cairo.h cairo/cairo.h cairo.pc cairo-gobject.pc libcairo.so",
    "libcap-dev": "sys/capability.h libcap.pc libcap.so",
    "libcfitsio-dev": "fitsio.h cfitsio.pc libcfitsio.so",
    "libcups2-dev": "cups/cups.h cups-config cups.pc libcups.so",
    "libcurl4-openssl-dev": "curl/curl.h curl-config libcurl.pc CURL.cmake libcurl.so",
    "libdb-dev": "db.h libdb.so",
    "libdbus-1-dev": "dbus/dbus.h dbus-1.pc DBus1.cmake libdbus-1.so",
    "libedit-dev": "histedit.h libedit.pc",
    "libeigen3-dev": "Eigen/Core Eigen/Dense eigen3.pc Eigen3.cmake",
    "libelf-dev": "libelf.h gelf.h libelf.pc LibElf.cmake libelf.so",
    "libenchant-2-dev": "enchant.h enchant-2.pc",
    "libev-dev": "ev.h libev.so",
    "libevent-dev": "event.h event2/event.h libevent.pc Libevent.cmake libevent.so",
    "libexpat1-dev": "expat.h expat.pc EXPAT.cmake libexpat.so",
    "libffi-dev": "ffi.h libffi.pc libffi.so",
    "libfftw3-dev": "fftw3.h fftw3.pc fftw3f.pc libfftw3.so",
    "libfontconfig-dev": "fontconfig/fontconfig.h fontconfig.pc Fontconfig.cmake",
    "libfreetype-dev": "ft2build.h freetype2.pc Freetype.cmake libfreetype.so",
    "libfuse-dev": "fuse.pc libfuse.so",
    "libfuse3-dev": "fuse3/fuse.h fuse3.pc libfuse3.so",
    "libgd-dev": "gd.h gdlib.pc libgd.so",
    "libgdal-dev": "gdal.h cpl_conv.h ogr_api.h gdal-config gdal.pc GDAL.cmake libgdal.so",
    "libgdbm-dev": "gdbm.h libgdbm.so",
    "libgeos-dev": "geos_c.h geos-config geos.pc GEOS.cmake libgeos_c.so",
    "libgirepository1.0-dev": "girepository.h gobject-introspection-1.0.pc",
    "libgirepository-2.0-dev": "girepository-2.0.pc",
    "libgit2-dev": "git2.h libgit2.pc libgit2.so",
    "libglib2.0-dev": "glib.h glib-object.h glib-2.0.pc gobject-2.0.pc gio-2.0.pc gio-unix-2.0.pc gthread-2.0.pc",
    "libgmp-dev": "gmp.h gmpxx.h gmp.pc GMP.cmake libgmp.so",
    "libgnutls28-dev": "gnutls/gnutls.h gnutls.pc GnuTLS.cmake libgnutls.so",
    "libgpgme-dev": "gpgme.h gpgme-config gpgme.pc libgpgme.so",
    "libgraphviz-dev": "graphviz/cgraph.h graphviz/gvc.h libcgraph.pc libgvc.pc libcgraph.so libgvc.so",
    "libgsl-dev": "gsl/gsl_math.h gsl-config gsl.pc GSL.cmake libgsl.so",
    "libgtk-3-dev": "gtk/gtk.h gtk+-3.0.pc",
    "libhdf5-dev": "hdf5.h h5cc hdf5.pc HDF5.cmake libhdf5.so",
    "libhiredis-dev": "hiredis/hiredis.h hiredis.pc libhiredis.so",
    "libhunspell-dev": "hunspell/hunspell.hxx hunspell.hxx hunspell.pc",
    "libibverbs-dev": "infiniband/verbs.h libibverbs.pc libibverbs.so",
    "libicu-dev": "unicode/utypes.h unicode/unistr.h icu-i18n.pc icu-uc.pc ICU.cmake libicui18n.so",
    "libjpeg-dev": "jpeglib.h libjpeg.pc JPEG.cmake libjpeg.so",
    "libkrb5-dev": "krb5.h gssapi/gssapi.h gssapi.h krb5-config krb5.pc krb5-gssapi.pc libkrb5.so",
    "liblapack-dev": "lapack.pc LAPACK.cmake liblapack.so",
    "liblcms2-dev": "lcms2.h lcms2.pc liblcms2.so",
    "libldap-dev": "ldap.h lber.h ldap.pc libldap.so liblber.so",
    "libleveldb-dev": "leveldb/db.h leveldb/c.h leveldb.cmake libleveldb.so",
    "liblmdb-dev": "lmdb.h lmdb.pc liblmdb.so",
    "liblz4-dev": "lz4.h lz4frame.h liblz4.pc liblz4.so",
    "liblzma-dev": "lzma.h liblzma.pc LibLZMA.cmake liblzma.so",
    "liblzo2-dev": "lzo/lzo1x.h lzo2.pc liblzo2.so",
    "libmagic-dev": "magic.h libmagic.pc libmagic.so",
    "libmariadb-dev": "mariadb_config mariadb.pc libmariadb.pc libmariadb.so",
    "libmaxminddb-dev": "maxminddb.h libmaxminddb.pc libmaxminddb.so",
    "libmemcached-dev": "libmemcached/memcached.h libmemcached.pc libmemcached.so",
    "libmnl-dev": "libmnl/libmnl.h libmnl.pc",
    "libmpc-dev": "mpc.h libmpc.so",
    "libmpfr-dev": "mpfr.h mpfr.pc libmpfr.so",
    "libncurses-dev": "curses.h ncurses.h ncurses6-config ncursesw6-config ncurses.pc ncursesw.pc Curses.cmake",
    "libnetcdf-dev": "netcdf.h nc-config netcdf.pc libnetcdf.so",
    "libnetfilter-queue-dev": "libnetfilter_queue/libnetfilter_queue.h libnetfilter_queue.pc libnetfilter_queue.so",
    "libnfnetlink-dev": "libnfnetlink/libnfnetlink.h libnfnetlink.pc",
    "libnl-3-dev": "netlink/netlink.h libnl-3.0.pc",
    "libnuma-dev": "numa.h numa.pc libnuma.so",
    "libogg-dev": "ogg/ogg.h ogg.pc",
    "libopenblas-dev": "openblas.pc OpenBLAS.cmake libopenblas.so",
    "libopenjp2-7-dev": "openjpeg.h libopenjp2.pc OpenJPEG.cmake",
    "mpi-default-dev": "mpi.h mpicc MPI.cmake libmpi.so",
    "libopus-dev": "opus/opus.h opus.pc",
    "libpam0g-dev": "security/pam_appl.h pam.pc libpam.so",
    "libpango1.0-dev": "pango/pango.h pango.pc pangocairo.pc pangoft2.pc",
    "libpcap-dev": "pcap.h pcap/pcap.h pcap-config libpcap.pc libpcap.so",
    "libpci-dev": "pci/pci.h libpci.pc",
    "libpcre2-dev": "pcre2.h pcre2-config libpcre2-8.pc",
    "libpcsclite-dev": "winscard.h PCSC/winscard.h libpcsclite.pc libpcsclite.so",
    "libpng-dev": "png.h libpng-config libpng.pc libpng16.pc PNG.cmake libpng.so",
    "libpoppler-cpp-dev": "poppler/cpp/poppler-document.h poppler-cpp.pc libpoppler-cpp.so",
    "libpopt-dev": "popt.h popt.pc",
    "libpq-dev": "libpq-fe.h pg_config libpq.pc PostgreSQL.cmake libpq.so",
    "libproj-dev": "proj.h proj.pc PROJ.cmake libproj.so",
    "libprotobuf-dev": "google/protobuf/message.h protobuf.pc Protobuf.cmake",
    "libpulse-dev": "pulse/pulseaudio.h libpulse.pc",
    "libqpdf-dev": "qpdf/QPDF.hh qpdf/Constants.h libqpdf.pc qpdf.cmake libqpdf.so",
    "librabbitmq-dev": "amqp.h librabbitmq.pc librabbitmq.so",
    "librados-dev": "rados/librados.h librados.so",
    "librbd-dev": "rbd/librbd.h librbd.so",
    "librdkafka-dev": "librdkafka/rdkafka.h rdkafka.pc librdkafka.so",
    "librdmacm-dev": "rdma/rdma_cma.h librdmacm.pc librdmacm.so",
    "libre2-dev": "re2/re2.h re2.pc libre2.so",
    "libreadline-dev": "readline/readline.h readline.pc libreadline.so",
    "librrd-dev": "rrd.h librrd.pc librrd.so",
    "librtmidi-dev": "rtmidi/RtMidi.h rtmidi.pc",
    "libsasl2-dev": "sasl/sasl.h libsasl2.pc libsasl2.so",
    "libsctp-dev": "netinet/sctp.h libsctp.pc",
    "libsdl2-dev": "SDL2/SDL.h sdl2-config sdl2.pc SDL2.cmake",
    "libsecret-1-dev": "libsecret/secret.h libsecret-1.pc",
    "libselinux1-dev": "selinux/selinux.h libselinux.pc libselinux.so",
    "libsensors-dev": "sensors/sensors.h libsensors.so",
    "libsmbclient-dev": "libsmbclient.h smbclient.pc libsmbclient.so",
    "libsnappy-dev": "snappy.h snappy-c.h snappy.pc Snappy.cmake libsnappy.so",
    "libsndfile1-dev": "sndfile.h sndfile.pc SndFile.cmake libsndfile.so",
    "libsodium-dev": "sodium.h libsodium.pc libsodium.so",
    "libspatialindex-dev": "spatialindex/capi/sidx_api.h libspatialindex.pc",
    "libsqlite3-dev": "sqlite3.h sqlite3.pc SQLite3.cmake libsqlite3.so",
    "libssh-dev": "libssh/libssh.h libssh.pc libssh.so",
    "libssh2-1-dev": "libssh2.h libssh2.pc Libssh2.cmake libssh2.so",
    "libssl-dev": "openssl/ssl.h openssl/opensslv.h openssl/evp.h openssl/crypto.h openssl/sha.h openssl/err.h"
    " openssl.pc libssl.pc libcrypto.pc OpenSSL.cmake libssl.so libcrypto.so",
    "libsystemd-dev": "systemd/sd-daemon.h systemd/sd-journal.h libsystemd.pc libsystemd.so",
    "libtag1-dev": "taglib/tag.h taglib-config taglib.pc libtag.so",
    "libtesseract-dev": "tesseract/baseapi.h tesseract.pc",
    "libtiff-dev": "tiffio.h tiff.h libtiff-4.pc TIFF.cmake libtiff.so",
    "libtool": "libtoolize",
    "libudev-dev": "libudev.h libudev.pc libudev.so",
    "libunistring-dev": "unistr.h libunistring.so",
    "libunwind-dev": "libunwind.h libunwind.pc libunwind.so",
    "liburing-dev": "liburing.h liburing.pc liburing.so",
    "libusb-1.0-0-dev": "libusb-1.0/libusb.h libusb.h libusb-1.0.pc libusb-1.0.so",
    "libuv1-dev": "uv.h libuv.pc libuv.so",
    "libvirt-dev": "libvirt/libvirt.h libvirt.pc libvirt.so",
    "libvorbis-dev": "vorbis/codec.h vorbis.pc",
    "libwebp-dev": "webp/decode.h webp/encode.h libwebp.pc libwebpmux.pc WebP.cmake libwebp.so",
    "libx11-dev": "X11/Xlib.h x11.pc X11.cmake libX11.so",
    "libxcb1-dev": "xcb/xcb.h xcb.pc libxcb.so",
    "libxml2-dev": "libxml/xmlversion.h libxml/tree.h libxml/parser.h xml2-config libxml-2.0.pc LibXml2.cmake"
    " libxml2.so",
    "libapr1-dev": "apr-1.0/apr.h apr-1-config apr-1.pc",
    "libaprutil1-dev": "apr-1.0/apu.h apu-1-config apr-util-1.pc",
    "libgcrypt20-dev": "gcrypt.h libgcrypt-config libgcrypt.pc",
    "libgpg-error-dev": "gpg-error.h gpg-error-config gpgrt-config gpg-error.pc",
    "llvm-dev": "llvm-config LLVM.cmake",
    "libmagickwand-dev": "wand/MagickWand.h MagickWand.pc libMagickWand.so",
    "libxmlsec1-dev": "xmlsec/xmlsec.h xmlsec1-config xmlsec1.pc xmlsec1-openssl.pc libxmlsec1.so",
    "libxslt1-dev": "libxslt/xsltconfig.h libxslt/xslt.h xslt-config libxslt.pc libexslt.pc LibXslt.cmake libxslt.so",
    "libxxhash-dev": "xxhash.h libxxhash.pc libxxhash.so",
    "libyaml-dev": "yaml.h yaml-0.1.pc libyaml.so",
    "libzmq3-dev": "zmq.h zmq.hpp libzmq.pc ZeroMQ.cmake libzmq.so",
    "libzstd-dev": "zstd.h libzstd.pc zstd.cmake libzstd.so",
    "meson": "meson",
    "nasm": "nasm",
    "ninja-build": "ninja",
    "patchelf": "patchelf",
    "pkgconf": "pkg-config pkgconf PkgConfig.cmake",
    "portaudio19-dev": "portaudio.h portaudio-2.0.pc libportaudio.so",
    "proj-bin": "proj",
    "protobuf-compiler": "protoc",
    "python3-dev": "Python.h",
    "qpdf": "qpdf",
    "libsnmp-dev": "net-snmp/net-snmp-config.h net-snmp-config netsnmp.pc libnetsnmp.so",
    "swig": "swig",
    "tdsodbc": "libtdsodbc.so",
    "unixodbc-dev": "sql.h sqlext.h odbc_config odbc.pc ODBC.cmake libodbc.so",
    "uuid-dev": "uuid/uuid.h uuid.pc libuuid.so",
    "zlib1g-dev": "zlib.h zlib.pc ZLIB.cmake libz.so",
}
_PACKAGES = {name: package for package, names in _NAMES.items() for name in names.split()}
#: Packages that do as well, older names and other implementations, by relation.
_INSTEAD = {
    "cargo-web | cargo": r"cargo-.+|rustup",
    "default-libmysqlclient-dev": r"lib(mysqlclient|mariadb|mariadbclient)-dev(-compat)?",
    "libasound2-dev": r"libasound-dev",
    "libcurl4-openssl-dev": r"libcurl(4-gnutls|4-nss)?-dev",
    "libdb-dev": r"libdb\d.*-dev",
    "libfreetype-dev": r"libfreetype6-dev",
    "libhdf5-dev": r"libhdf5-.+-dev",
    "libjpeg-dev": r"libjpeg\d*(-turbo)?\d*-dev",
    "libkrb5-dev": r"heimdal-(multi)?dev",
    "libldap-dev": r"libldap2-dev",
    "liblapack-dev": r"libopenblas.*-dev|libatlas-base-dev",
    "libncurses-dev": r"libncursesw?\d-dev",
    "libopenblas-dev": r"libopenblas.*-dev|libblas-dev|libatlas-base-dev|libblis.*-dev",
    "libpng-dev": r"libpng\d+-dev",
    "libreadline-dev": r"libreadline\d-dev",
    "libtiff-dev": r"libtiff\d-dev",
    "libxslt1-dev": r"libxslt-dev",
    "mpi-default-dev": r"lib(openmpi|mpich)-dev",
    "ninja-build": r"samurai",
    "pkgconf": r"pkg-config",
    "swig": r"swig\d.*",
    "unixodbc-dev": r"libiodbc2-dev",
}
#: By package: programs that distributions of an index bring, too. Backends ask for these where they find no program.
REPLACEABLE = {
    "cmake": ("cmake", "cmake3"),
    "meson": ("meson",),
    "ninja-build": ("ninja", "ninja-build", "samu"),
    "patchelf": ("patchelf",),
    "swig": ("swig", "swig4.0"),
}
#: What every build has: of build-essential, and of what the toolkit itself needs.
_EVERYWHERE = frozenset({"build-essential", "python3-dev", "zlib1g-dev", "libexpat1-dev"})
#: By Rust crate: names of the table that its build takes from the system, unless a crate of sources is there instead.
_OF_CRATES = {
    "alsa-sys": ("alsa.pc pkg-config", ""),
    "libudev-sys": ("libudev.pc pkg-config", ""),
    "mysqlclient-sys": ("mysqlclient.pc", "mysqlclient-src"),
    "openssl-sys": ("openssl.pc pkg-config", "openssl-src"),
    "pq-sys": ("pg_config", "pq-src"),
}


def of_crates(compiled: Collection[str]) -> Iterator[str]:
    """Yield what the builds of crates, by name, certainly take from the system."""
    for crate in sorted(_OF_CRATES.keys() & set(compiled)):
        taken, instead = _OF_CRATES[crate]
        if instead not in compiled:
            yield from taken.split()


def package(name: str) -> str:
    """Return the relation (deb-src-control(5)) that brings a name of the table, or nothing."""
    return _PACKAGES.get(name, "")


def beyond_every_build(names: Iterable[str]) -> Iterator[str]:
    """Yield those names of the table that are not brought by what every build has."""
    return (name for name in names if name in _PACKAGES and _PACKAGES[name] not in _EVERYWHERE)


def brings(package: str, relation: str) -> bool:
    """Tell whether a package does for a relation of the table."""
    return package in relation.split(" | ") or bool(re.fullmatch(_INSTEAD.get(relation, "(?!)"), package))
