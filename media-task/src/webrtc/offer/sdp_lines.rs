//! Splits SDP into its session part and its media sections, without interpreting them.

/// A session description, split into parts.
pub(super) struct Sdp<'a> {
    pub(super) session: Attributes<'a>,
    pub(super) sections: Vec<Section<'a>>,
}

/// A media section: its m-line and its attributes.
pub(super) struct Section<'a> {
    pub(super) media: &'a str,
    pub(super) port: &'a str,
    pub(super) profile: &'a str,
    pub(super) formats: Vec<&'a str>,
    pub(super) attributes: Attributes<'a>,
}

/// The `a=` lines of one part.
#[derive(Default)]
pub(super) struct Attributes<'a>(Vec<&'a str>);

impl<'a> Sdp<'a> {
    /// Splits a text; `None` if it is not SDP.
    pub(super) fn split(text: &'a str) -> Option<Self> {
        let mut lines = text.lines().filter(|line| !line.is_empty());
        if lines.next()? != "v=0" {
            return None;
        }
        let mut sdp = Self { session: Attributes::default(), sections: vec![] };
        for line in lines {
            let (kind, value) = line.split_once('=')?;
            let part = sdp.sections.last_mut().map_or(&mut sdp.session, |section| &mut section.attributes);
            match kind {
                "m" => sdp.sections.push(Section::begin(value)?),
                "a" => part.0.push(value),
                _ => {}
            }
        }
        Some(sdp)
    }

    /// Whether the section of this `mid` is in a BUNDLE group (RFC 9143).
    pub(super) fn bundles(&self, mid: &str) -> bool {
        let groups = self.session.values("group").filter_map(|group| group.strip_prefix("BUNDLE "));
        groups.flat_map(str::split_whitespace).any(|name| name == mid)
    }

    /// Returns the attributes of the sections that may describe a section's transport. The first one has the candidates: the section
    /// itself, or else the first of its BUNDLE group that has any (RFC 9143, section 7).
    pub(super) fn transports<'s>(&'s self, section: &'s Section<'a>) -> Vec<&'s Attributes<'a>> {
        let mid = section.attributes.value("mid").unwrap_or_default();
        let groups = self.session.values("group").filter_map(|group| group.strip_prefix("BUNDLE "));
        let mut groups = groups.map(|group| group.split_whitespace().collect::<Vec<_>>());
        let group = groups.find(|group| group.contains(&mid)).unwrap_or_default();
        let named = |mid| self.sections.iter().find(|it| it.attributes.value("mid") == Some(mid));
        let others = group.iter().filter(|name| **name != mid).filter_map(|name| named(name));
        let others = others.filter(|it| it.is_offered()).map(|it| &it.attributes);
        let mut all: Vec<_> = [&section.attributes].into_iter().chain(others).collect();
        let has_candidate = |part: &&Attributes<'_>| part.value("candidate").is_some();
        if let Some(described) = all.iter().position(has_candidate) {
            all[..=described].rotate_right(1);
        }
        all
    }
}

impl<'a> Section<'a> {
    fn begin(value: &'a str) -> Option<Self> {
        let mut words = value.split_whitespace();
        let (media, port, profile) = (words.next()?, words.next()?, words.next()?);
        let (formats, attributes) = (words.collect(), Attributes::default());
        Some(Self { media, port, profile, formats, attributes })
    }

    /// Whether the section is offered: its port is not 0, or it is `bundle-only` and uses the transport of its group.
    pub(super) fn is_offered(&self) -> bool {
        self.port != "0" || self.attributes.has("bundle-only")
    }

    /// Returns the first payload type that is mapped to a codec, with any number of channels.
    pub(super) fn payload_type(&self, codec: &str) -> Option<u8> {
        let is_codec = |format: &str| {
            let name = self.attributes.of_format("rtpmap", format).next().unwrap_or_default().to_lowercase();
            name.strip_prefix(codec).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.formats.iter().filter(|format| is_codec(format)).find_map(|format| format.parse().ok())
    }
}

impl<'a> Attributes<'a> {
    /// Returns the values of `a=name:…`.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(':'))
    }

    /// Returns the value of the first `a=name:…`.
    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.values(name).next()
    }

    /// Whether there is `a=name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    /// Returns the values of `a=name:<format> …`, without the format.
    pub(super) fn of_format(&self, name: &str, format: &str) -> impl Iterator<Item = &'a str> {
        self.values(name)
            .filter_map(move |value| value.split_once(' '))
            .filter_map(move |(of, rest)| (of == format).then_some(rest))
    }
}
