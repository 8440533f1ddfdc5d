"""Others judge: referees written elsewhere, and the transcripts of vendors."""
