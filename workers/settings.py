"""Settings, from the environment (design.md 9)."""

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.errors import BadInput


class Settings(BaseSettings):
    """What a process needs to know. Temporal's own address and namespace come from its `TEMPORAL_*` profile."""

    model_config = SettingsConfigDict(env_prefix="ARREARS_", env_ignore_empty=True, extra="ignore")

    database_url: str | None = None
    webhook_secret: str | None = None
    rate_limit: str = "1000/second"
    gocardless_base_url: str = "https://api.gocardless.com"
    public_url: str = "http://127.0.0.1:8080"
    build_id: str | None = None
    cache_cases: int = Field(1000, ge=0)
    contacts_per_second: float | None = Field(None, gt=0)
    metrics_address: str | None = None
    codec_keys: str | None = None
    codec_token: str | None = None
    codec_origins: str = "http://127.0.0.1:8233"
    twilio_base_url: str | None = None
    voice_business: str | None = None
    voice_person: str | None = None
    voice_number: str | None = None

    @property
    def dsn(self) -> str:
        """The database's address.

        Raises:
            BadInput: it is not set.
        """
        if not self.database_url:
            raise BadInput(
                "ARREARS_DATABASE_URL is not set: give the database's address, or start `arrears up` and use what it prints."
            )
        return self.database_url


class TwilioSettings(BaseSettings):
    """Twilio's account, in Twilio's own names."""

    model_config = SettingsConfigDict(env_prefix="TWILIO_", env_ignore_empty=True, extra="ignore")

    account_sid: str | None = None
    auth_token: str | None = None
    sender: str | None = Field(None, validation_alias="TWILIO_FROM")


def settings() -> Settings:
    """Read the environment.

    Raises:
        BadInput: a value cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"ARREARS_{'_'.join(map(str, first['loc'])).upper()}: {first['msg']}.") from None
